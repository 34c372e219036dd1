"""Kill Engram at random moments under load, and look whether anything was lost, doubled or learned wrongly.

    python -m benchmarks.chaos [--kills 30] [--database sqlite|postgresql] [--seed 0]

A producer and an oracle annotator work on a service that stores a snapshot after every second update, so that most
kills fall into a write. Every tenth kill falls into the migrations of an empty database. SQLite: one `engram serve`.
PostgreSQL: one `engram api` and two `engram worker` over Redis; ENGRAM_TEST_POSTGRES and ENGRAM_TEST_REDIS name the
servers.

Prints one JSON line; ends with 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import httpx
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from benchmarks.chaos_check import check, read_notes
from benchmarks.chaos_load import STREAM, description
from benchmarks.chaos_processes import Process, kill_one, start_load
from service.clock import SystemClock
from service.core import access
from service.storage import streams as stream_rows
from service.storage.session import Database

_MOST_SECONDS = 3.0
_POSTGRES = os.environ.get("ENGRAM_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")  # noqa: TID251
_REDIS = os.environ.get("ENGRAM_TEST_REDIS", "redis://127.0.0.1:6379/9")  # noqa: TID251


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    draw = random.Random(given.seed)
    found = chaos(given.database, given.kills, draw)
    print(json.dumps({"benchmark": "chaos", "database": given.database, "seed": given.seed} | found), flush=True)
    sys.exit(any(found["faults"].values()))


def chaos(kind: str, kills: int, draw: random.Random) -> dict[str, Any]:
    """Run on a database of that kind, made for it."""
    with tempfile.TemporaryDirectory(prefix="engram-chaos-") as folder, database(kind, Path(folder)) as url:
        return run(Path(folder), url, kills, draw)


def run(folder: Path, url: str, kills: int, draw: random.Random) -> dict[str, Any]:
    """Kill, end the load, drain, and check."""
    begun = monotonic()
    early = max(1, kills // 10)
    with ExitStack() as stack:
        processes = cast(folder, url)
        for process in processes:
            stack.callback(process.kill)
        torn = sum(killed_in_migration(processes[0], url, draw) for _ in range(early))
        for process in processes:
            process.start()
        for process in processes:
            process.ready()
        db = Database(url)
        stack.callback(db.close)
        load = begin_load(folder, db, [process.url for process in processes if process.name != "worker"])
        for popen, _notes in load:
            stack.callback(popen.wait)
            stack.callback(popen.kill)
        victims = Counter[str]()
        for number in range(early + 1, kills + 1):
            victims[kill_one(processes, draw, most_seconds=_MOST_SECONDS)] += 1
            print(f"{number} of {kills} kills", file=sys.stderr, end="\r", flush=True)
        faults = end(processes, [popen for popen, _notes in load], db)
        found = check(db, read_notes(notes for _popen, notes in load))
    found["faults"] |= faults
    counts = {"kills": kills, "killed": dict(victims), "kills_in_migrations": early, "migrations_torn": torn}
    return counts | {"seconds": round(monotonic() - begun, 1)} | found


def begin_load(folder: Path, db: Database, urls: list[str]) -> list[tuple[subprocess.Popen[bytes], Path]]:
    """Make the stream, and start whoever works on it."""
    _who, token = db.write_now(lambda c: access.create(c, SystemClock(), access.Role.ADMIN))
    headers = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{urls[0]}/v1/streams", json=description(), headers=headers, timeout=30).raise_for_status()
    return start_load(folder, token, urls)


def end(processes: list[Process], load: list[subprocess.Popen[bytes]], db: Database) -> dict[str, int]:
    """End the load and then the service, in an orderly way; return what went wrong.

    Between the two all is learned: what a killed worker held is another's once its lease has lapsed.
    """
    for process in processes:
        process.ready()
    for popen in load:
        popen.terminate()
    gave_up = sum(popen.wait(120) != 0 for popen in load)
    wait_for(lambda: db.read_now(all_is_learned))
    return {
        "load_gave_up": gave_up,
        "ended_wrongly": sum(process.drained() != 0 for process in processes),
        "unforeseen": sum(process.failures() for process in processes),
    }


def all_is_learned(connection: sa.Connection) -> bool:
    """Return whether every entry of the log is applied."""
    stream = stream_rows.by_name(connection, STREAM)
    return stream is not None and stream.applied_seq == stream.log_seq


def cast(folder: Path, url: str) -> list[Process]:
    """Return the processes that a database is served by."""
    settings = {
        "ENGRAM_DATABASE_URL": url,
        "ENGRAM_SNAPSHOT_EVERY": "2",
        "ENGRAM_SNAPSHOTS_KEPT": "12",
        "ENGRAM_EVENTS_KEPT": "100000000",
        "ENGRAM_LEASE_SECONDS": "5",
        "ENGRAM_DATA_DIR": str(folder / "data"),
    }
    if url.startswith("sqlite"):
        return [Process(folder, ["serve"], settings)]
    settings["ENGRAM_REDIS_URL"] = _REDIS
    return [Process(folder, [command], settings) for command in ("api", "worker", "worker")]


def killed_in_migration(process: Process, url: str, draw: random.Random) -> bool:
    """Kill a process that migrates an empty database; return whether that left the migrations undone."""
    empty(url)
    process.start()
    watched = sa.create_engine(url, poolclass=NullPool)
    wait_for(lambda: migrating(watched))
    sleep(draw.random() * 0.2)
    process.kill()
    with watched.connect() as connection:
        return "streams" not in sa.inspect(connection).get_table_names()


def migrating(engine: sa.Engine) -> bool:
    """Return whether somebody has begun to migrate, or has just done so."""
    if engine.url.get_backend_name() == "sqlite":
        return Path(str(engine.url.database)).exists()
    with engine.connect() as connection:
        here = "(SELECT oid FROM pg_database WHERE datname = current_database())"
        locks = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = {here}"  # noqa: S608
        return bool(connection.execute(sa.text(locks)).scalar_one()) or sa.inspect(connection).has_table("streams")


def wait_for(look: Callable[[], bool]) -> None:
    """Wait until `look` sees it."""
    until = monotonic() + 300
    while not look():
        if monotonic() > until:
            raise TimeoutError
        sleep(0.002)


def empty(url: str) -> None:
    """Make the database as if it had never been used."""
    found = sa.make_url(url)
    if found.get_backend_name() == "sqlite":
        for path in Path(str(found.database)).parent.glob("engram.db*"):
            path.unlink()
        return
    with sa.create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Make an empty database, and drop it afterwards."""
    if kind == "sqlite":
        (folder / "data").mkdir()
        yield f"sqlite:///{folder / 'data' / 'engram.db'}"
        return
    name = f"engram_chaos_{uuid4().hex[:12]}"
    server = sa.create_engine(_POSTGRES, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield sa.make_url(_POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


if __name__ == "__main__":
    main()
