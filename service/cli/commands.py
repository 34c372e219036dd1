"""Every command, each a thin face of what does the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from service.cli import logs
from service.cli.failures import CommandError, must_be_there
from service.clock import SystemClock, iso
from service.core import access
from service.core.access import Role
from service.core.errors import EngramError, ServingError
from service.settings import Settings
from service.storage import tokens
from service.storage.session import Database

app = typer.Typer(
    name="engram",
    help="Learns online and asks people only when an answer will teach it something.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
token_app = typer.Typer(help="Make, list and revoke access tokens.", no_args_is_help=True)
app.add_typer(token_app, name="token")

out = Console(highlight=False, soft_wrap=True)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of database, token and lock.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]


class Format(StrEnum):
    """What an export can be written as."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    LABEL_STUDIO = "label-studio"


class CommitteeFormat(StrEnum):
    """What a committee can be written as."""

    NPZ = "npz"
    C = "c"


@contextmanager
def failures() -> Iterator[None]:
    """Turn what can go wrong into one line."""
    try:
        yield
    except (ServingError, EngramError) as error:
        raise CommandError(str(error)) from None
    except DBAPIError as error:
        raise CommandError(f"the database cannot be used: {str(error.orig).splitlines()[0]}") from None
    except OSError as error:
        raise CommandError(f"{error.filename or 'input or output'}: {error.strerror or error}") from None


def settings_with(data_dir: Path | None) -> Settings:
    """Return the environment's settings, with the command's data folder."""
    given: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = "ENGRAM_" + str(first["loc"][0]).upper()
        # An address may hold a password.
        got = "" if name.endswith("_URL") else f", got {first['input']!r}"
        raise CommandError(f"{name}: {first['msg'].removeprefix('Value error, ')}{got}") from None


def _version(value: bool) -> None:  # noqa: FBT001 - typer's callback
    if value:
        out.print(f"engram {version_of('engram')}")
        raise typer.Exit


def _png(path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() != ".png":
        raise typer.BadParameter(f"the plot is a PNG, so its name must end in .png, got {path}")
    return path


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, data_dir: DataDir = None) -> None:
    """Serve everything in one process: API, labeling UI and learner."""
    from service.serving import TOKEN_FILE, admin_token, listen, make_server, opened, url_of

    settings = settings_with(data_dir)
    logs.configure(settings.log_level)
    with failures(), opened(settings) as parts:
        bound = listen(host, port)
        server = make_server(parts, bound)
        token, new = admin_token(parts, settings.data_dir)
        url = url_of(bound)
        out.print(f"Engram serves {url}")
        if new:
            out.print(f"Admin token (also in {settings.data_dir / TOKEN_FILE}): {token}")
        else:
            out.print(f"The admin token is in {settings.data_dir / TOKEN_FILE}")
        if token:
            out.print(f"Sign in at {url}/#/signin?token={token}")
        server.run_process(bound)


@app.command()
def api(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve API and labeling UI beside other processes; workers learn. PostgreSQL and Redis from the environment."""
    from service.app import create_app
    from service.serving import listen, opened_with_others, server_of, url_of

    settings = settings_with(None)
    logs.configure(settings.log_level)
    with failures(), opened_with_others(settings, "api") as parts:
        bound = listen(host, port)
        out.print(f"Engram serves {url_of(bound)}")
        if not parts.db.read_now(tokens.every):
            out.print("There is no token yet; make one with 'engram token create --role admin'")
        server_of(create_app(parts, learns=False), parts).run_process(bound)


@app.command()
def worker(
    host: Host = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of /healthz, /readyz and /metrics; 0 takes a free one.")
    ] = 0,
) -> None:
    """Learn beside other processes, as many streams as are due. PostgreSQL and Redis from the environment."""
    from service.app import create_worker_app
    from service.serving import listen, opened_with_others, server_of, url_of

    settings = settings_with(None)
    logs.configure(settings.log_level)
    with failures(), opened_with_others(settings, "worker") as parts:
        bound = listen(host, port)
        out.print(f"Engram works; how it does is at {url_of(bound)}/metrics")
        server_of(create_worker_app(parts), parts).run_process(bound)


@app.command()
def demo(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: DataDir = None,
    oracle: Annotated[bool, typer.Option("--oracle", help="Answer the queries with the known labels.")] = False,
    data: Annotated[str, typer.Option(help="'digits', or a labelled .npz or .jsonl.gz file.")] = "digits",
    pace: Annotated[float, typer.Option(min=0, help="Samples per second; 0 is as fast as it goes.")] = 20.0,
    delay: Annotated[
        float | None, typer.Option(min=0, help="Seconds that the oracle takes for an answer. [0.25, or 0 at pace 0]")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Samples to post. [three times the digits, up to 20000 of a file]")
    ] = None,
    budget: Annotated[float, typer.Option(min=0, max=1, help="Queries per sample after the warm-up.")] = 0.095,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the learner and of the order.")] = 7,
    once: Annotated[bool, typer.Option("--once", help="End when the last sample is posted and answered.")] = False,
) -> None:
    """Serve, and post a real data set to a stream, with queries for you or an oracle to answer."""
    from service.demo.run import DemoOptions, run_demo
    from service.serving import listen, opened

    settings = settings_with(data_dir)
    logs.configure("warning")
    options = DemoOptions(
        oracle=oracle, data=data, pace=pace, delay=delay, samples=samples, budget=budget, seed=seed, once=once
    )
    with failures(), opened(settings) as parts:
        run_demo(parts, listen(host, port), options, out)


@app.command("import")
def import_(
    stream: Annotated[str, typer.Argument(help="Name of the stream.")],
    file: Annotated[Path, typer.Argument(help="A .jsonl, .jsonl.gz, .csv, .csv.gz or .npz file.")],
    data_dir: DataDir = None,
    data_field: Annotated[str, typer.Option(help="Field that holds the data.")] = "data",
    label_field: Annotated[str, typer.Option(help="Field that holds the label, where there is one.")] = "label",
    labels: Annotated[bool, typer.Option(help="Take the labels along and learn them.")] = True,
) -> None:
    """Post a file's samples to a stream."""
    from service.cli.transfer import import_file

    settings = settings_with(data_dir)
    logs.configure("warning")
    with failures():
        import_file(settings, stream, file, data_field, label_field if labels else None, out)


@app.command("export")
def export(
    stream: Annotated[str, typer.Argument(help="Name of the stream.")],
    data_dir: DataDir = None,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.JSONL,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output without.")
    ] = None,
) -> None:
    """Write a stream's samples, predictions and labels."""
    from service.cli.transfer import export_stream

    settings = settings_with(data_dir)
    logs.configure("warning")
    with failures():
        export_stream(settings, stream, form.value, output)


@app.command("committee")
def committee(
    stream: Annotated[str, typer.Argument(help="Name of the stream.")],
    data_dir: DataDir = None,
    members: Annotated[int, typer.Option(min=1, max=64, help="Binary networks to draw.")] = 16,
    form: Annotated[
        CommitteeFormat, typer.Option("--format", help="NumPy arrays, or a C99 header.")
    ] = CommitteeFormat.NPZ,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output without.")
    ] = None,
) -> None:
    """Write a stream's network for small devices, as binary networks with one bit a weight."""
    from service.cli.transfer import export_committee

    settings = settings_with(data_dir)
    logs.configure("warning")
    with failures():
        export_committee(settings, stream, members, form.value, output)


@app.command("simulate")
def simulate(
    file: Annotated[Path, typer.Argument(help="A labelled .jsonl, .csv (plain or .gz) or .npz file.")],
    strategy: Annotated[
        list[str] | None, typer.Option(help="How to choose what is asked; once for each. [a stream's default]")
    ] = None,
    budget: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help="Queries per sample after the warm-up; once for each. [a stream's default]"),
    ] = None,
    exploration: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the budget spent at random. [a stream's default]")
    ] = None,
    warmup_labels: Annotated[
        int | None, typer.Option(min=0, help="First labels, outside the budget. [a stream's default]")
    ] = None,
    rarity: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="How much less counts what is probably of a common class, and more what is of one that hardly comes. "
            "[a stream's default; 0 with --strategy]",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each policy, with seeds one after the other.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The first seed, of learner, coins and --shuffle.")] = 0,
    held_out: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of the file, at its end, that is tested on, not posted.")
    ] = 0.2,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Draw the rows' order first.")] = False,
    samples: Annotated[int | None, typer.Option(min=2, help="Take this many rows of the file. [all]")] = None,
    data_field: Annotated[str, typer.Option(help="Field that holds the data.")] = "data",
    label_field: Annotated[str, typer.Option(help="Field that holds the label.")] = "label",
    plot: Annotated[Path | None, typer.Option(callback=_png, help="PNG to write: accuracy against labels.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON in place of the table.")] = False,
) -> None:
    """Tell what query policies would have cost and reached on a labelled file, every pair of strategy and budget."""
    from learner.asking.policy import Policy
    from learner.asking.strategies import STRATEGIES
    from service.cli import simulated
    from service.cli.simulation import Plan, Source
    from service.cli.simulation import simulate as run

    for name in strategy or ():
        if name not in STRATEGIES:
            raise typer.BadParameter(f"'{name}' is not one of {', '.join(sorted(STRATEGIES))}", param_hint="--strategy")
    if plot is not None and held_out == 0:
        raise typer.BadParameter("a plot is of rows held out, so --held-out must be above 0", param_hint="--plot")
    usual = Policy()
    if exploration is not None:
        usual = usual._replace(exploration=exploration)
    if warmup_labels is not None:
        usual = usual._replace(warmup_labels=warmup_labels)
    if rarity is not None or strategy:
        usual = usual._replace(rarity=rarity or 0.0)
    policies = [
        usual._replace(strategy=name, budget=share)
        for name in dict.fromkeys(strategy or [usual.strategy])
        for share in dict.fromkeys(budget or [usual.budget])
    ]
    source = Source(file, data_field, label_field, samples, held_out, shuffled=shuffle)
    with failures():
        if plot is not None:
            simulated.must_be_writable(plot)  # before all the work
        plan = Plan(policies, range(seed, seed + seeds), curve=json or plot is not None)
        material, runs = run(plan, source, settings_with(None), out)
        if json:
            out.print(simulated.as_json(source, material, runs), markup=False)
        else:
            simulated.print_table(out, source, material, runs)
        if plot is not None:
            simulated.draw(plot, file.name, runs)


@app.command()
def snapshots(
    stream: Annotated[str, typer.Argument(help="Name of the stream.")],
    data_dir: DataDir = None,
    take: Annotated[bool, typer.Option("--take", help="Store the newest state first.")] = False,
) -> None:
    """List a stream's stored states, newest first."""
    from service.cli.past import show_snapshots

    settings = settings_with(data_dir)
    logs.configure("warning")
    with failures():
        show_snapshots(settings, stream, out, take=take)


@app.command()
def rollback(
    stream: Annotated[str, typer.Argument(help="Name of the stream.")],
    seq: Annotated[int, typer.Option(min=0, help="Log entry to go back to; 0 is the beginning.")],
    data_dir: DataDir = None,
) -> None:
    """Take a stream back to the moment after a log entry; nothing is deleted."""
    from service.cli.past import roll_back

    settings = settings_with(data_dir)
    logs.configure("warning")
    with failures():
        roll_back(settings, stream, seq, out)


@app.command()
def verify(
    stream: Annotated[str, typer.Argument(help="Name of the stream.")],
    data_dir: DataDir = None,
) -> None:
    """Replay a stream's log and compare every stored state; exit 0 only if all agree."""
    from service.cli.past import verify_stream

    settings = settings_with(data_dir)
    logs.configure("warning")
    with _database(settings) as db:
        verify_stream(db, settings, stream, out)


@contextmanager
def _database(settings: Settings, *, new: bool = False) -> Iterator[Database]:
    """Open the database, which may be a `new` one."""
    with failures():
        if not new:
            must_be_there(settings)
        db = Database(settings.database)
        try:
            db.migrate()
            yield db
        finally:
            db.close()


@token_app.command("create")
def token_create(
    role: Annotated[Role, typer.Option(help="What the token is for.")],
    name: Annotated[str | None, typer.Option(help="Whose it is.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it, this once."""
    with _database(settings_with(data_dir), new=True) as db:
        _principal, text = db.write_now(lambda c: access.create(c, SystemClock(), role, name))
    out.print(text)


@token_app.command("list")
def token_list(data_dir: DataDir = None) -> None:
    """List tokens; their text is not stored."""
    with _database(settings_with(data_dir)) as db:
        rows = db.read_now(tokens.every)
    table = [("ID", "NAME", "ROLE", "CREATED", "REVOKED")]
    table += [
        (row.id, row.name, row.role, iso(row.created_at), iso(row.revoked_at) if row.revoked_at else "") for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        out.print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), markup=False)


@token_app.command("revoke")
def token_revoke(
    token: Annotated[str, typer.Argument(help="Id or name of the token.")], data_dir: DataDir = None
) -> None:
    """Revoke a token at once."""
    with _database(settings_with(data_dir)) as db:
        count = db.write_now(lambda c: access.revoke(c, SystemClock(), token))
    out.print(f"revoked {count} token{'s' if count > 1 else ''}")
