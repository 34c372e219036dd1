"""The commands, as their users type them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import stat
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest

from learner.exporting import PackedCommittee
from tests.journeys.conftest import engram
from tests.service.cli.commands import run


def test_help_lists_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in (
        "serve",
        "api",
        "worker",
        "demo",
        "token",
        "import",
        "export",
        "committee",
        "simulate",
        "snapshots",
        "verify",
    ):
        assert command in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["serve", "--port", "many"],
        ["serve", "--port", "70000"],
        ["token", "create"],
        ["export"],
        ["simulate"],
        ["simulate", "x.npz", "--budget", "2"],
        ["simulate", "x.npz", "--strategy", "guess"],
        ["simulate", "x.npz", "--plot", "x.png", "--held-out", "0"],
    ],
    ids=" ".join,
)
def test_a_usage_error_is_one_line_on_stderr_and_exit_code_2(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["export", "nothing"], "there is no stream 'nothing'"),
        (["import", "nothing", "/no/such/file.jsonl"], "/no/such/file.jsonl"),
        (["token", "revoke", "nobody"], "nobody"),
        (["demo", "--data", "/no/such/file.npz", "--port", "0"], "/no/such/file.npz"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_failure_is_one_line_on_stderr_and_exit_code_1(tmp_path: Path, words: list[str], says: str) -> None:
    done = run(*words, "--data-dir", tmp_path)
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert says in line


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    done = run("serve", "--data-dir", tmp_path, ENGRAM_LEASE_SECONDS="soon")
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert "ENGRAM_LEASE_SECONDS" in line


def test_an_unreachable_database_is_one_line(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:9/none"
    done = run("serve", "--port", "0", "--data-dir", tmp_path, ENGRAM_DATABASE_URL=url)
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert "database" in line


@pytest.mark.parametrize("command", ["api", "worker"])
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "ENGRAM_DATABASE_URL"),
        ({"ENGRAM_DATABASE_URL": "sqlite:///engram.db", "ENGRAM_REDIS_URL": "redis://127.0.0.1"}, "PostgreSQL"),
        ({"ENGRAM_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}, "ENGRAM_REDIS_URL"),
    ],
    ids=["no database", "a database of one process", "no Redis"],
)
def test_a_process_beside_others_says_what_it_needs(command: str, settings: dict[str, str], says: str) -> None:
    done = run(command, "--port", "0", **settings)
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert says in line


def test_a_lease_that_a_late_heartbeat_would_lose_is_refused(tmp_path: Path) -> None:
    done = run("serve", "--data-dir", tmp_path, ENGRAM_WORKER_HEARTBEAT_SECONDS="4")
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert "ENGRAM_WORKER_LEASE_SECONDS" in line


def test_tokens_are_made_listed_and_revoked_while_the_service_runs(tmp_path: Path) -> None:
    with engram(tmp_path, "serve", "--port", "0") as process:
        url = process.client.base_url
        made = run("token", "create", "--role", "viewer", "--name", "eve", "--data-dir", tmp_path)
        assert made.returncode == 0
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        assert httpx.get(f"{url}/v1/streams", headers=headers, trust_env=False).status_code == 200
        listed = run("token", "list", "--data-dir", tmp_path).stdout
        assert "eve" in listed
        assert made.stdout.strip() not in listed
        assert run("token", "revoke", "eve", "--data-dir", tmp_path).returncode == 0
        assert httpx.get(f"{url}/v1/streams", headers=headers, trust_env=False).status_code == 401


def test_the_admin_token_is_for_its_owner_alone(tmp_path: Path) -> None:
    with engram(tmp_path, "serve", "--port", "0") as process:
        shown = process.line(r"Admin token .*: (\S+)")
    path = tmp_path / "admin.token"
    assert path.read_text().strip() == shown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_imported_can_be_exported_in_every_format_with_and_without_a_running_service(tmp_path: Path) -> None:
    rows = [{"id": f"r{n}", "data": [n, -n], "label": "ab"[n % 2]} for n in range(5)]
    source = tmp_path / "rows.jsonl.gz"
    with gzip.open(source, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    folder = tmp_path / "data"
    with engram(folder, "serve", "--port", "0") as process:
        body = {"name": "s", "input": {"kind": "vector", "dim": 2}}
        process.client.post("/v1/streams", json=body).raise_for_status()
        imported = run("import", "s", source, "--data-dir", folder)
        assert imported.returncode == 0, imported.stderr
        again = run("import", "s", source, "--data-dir", folder)
        assert again.returncode == 0, again.stderr
        assert process.client.get("/v1/streams/s/stats").json()["samples"] == 5
        live = run("export", "s", "--data-dir", folder).stdout
        process.end()
    found = [json.loads(line) for line in live.splitlines()]
    assert [(row["id"], row["data"], row["label"]) for row in found] == [
        (row["id"], row["data"], row["label"]) for row in rows
    ]
    assert run("export", "s", "--data-dir", folder).stdout == live
    table = list(csv.DictReader(io.StringIO(run("export", "s", "--format", "csv", "--data-dir", folder).stdout)))
    assert [row["label"] for row in table] == [row["label"] for row in rows]
    target = tmp_path / "s.parquet"
    assert run("export", "s", "--format", "parquet", "-o", target, "--data-dir", folder).returncode == 0
    assert pq.read_table(target).column("label").to_pylist() == [row["label"] for row in rows]
    tasks = json.loads(run("export", "s", "--format", "label-studio", "--data-dir", folder).stdout)
    assert tasks[1]["annotations"][0]["result"][0]["value"]["choices"] == ["b"]
    packed, header = tmp_path / "s.npz", tmp_path / "s.h"
    assert run("committee", "s", "--members", "3", "-o", packed, "--data-dir", folder).returncode == 0
    with np.load(packed, allow_pickle=False) as arrays:
        committee = PackedCommittee.of_arrays(arrays)
    assert (committee.members, committee.classes, committee.seq) == (3, ("a", "b"), 5)
    assert run("committee", "s", "--format", "c", "-o", header, "--data-dir", folder).returncode == 0
    assert "#define ENGRAM_MEMBERS 16\n" in header.read_text()


def test_an_import_names_the_rows_that_it_refused_and_keeps_the_others(tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("x,y,label\n1,2,a\n3,4,b\n")
    np.savez(tmp_path / "three.npz", x=np.zeros((2, 3)), y=np.array([0, 1]))
    folder = tmp_path / "data"
    with engram(folder, "serve", "--port", "0") as process:
        body = {"name": "s", "input": {"kind": "vector", "dim": 2}}
        process.client.post("/v1/streams", json=body).raise_for_status()
        assert run("import", "s", source, "--data-dir", folder).returncode == 0
        refused = run("import", "s", tmp_path / "three.npz", "--data-dir", folder)
        assert refused.returncode == 1
        assert "2 rows were refused: row 1: data must be a list of 2 numbers" in refused.stderr
        assert process.client.get("/v1/streams/s/stats").json()["samples"] == 2


def test_a_table_is_imported_by_its_fields_with_gaps_and_all(tmp_path: Path) -> None:
    source = tmp_path / "people.csv"
    source.write_text("id,age,city,note,label\n1,31,Oslo,x,a\n2,,Bergen,y,b\n3,7.5,,z,a\n")
    folder = tmp_path / "data"
    with engram(folder, "serve", "--port", "0") as process:
        body = {"name": "s", "input": {"kind": "tabular", "fields": {"age": "number", "city": "category"}}}
        process.client.post("/v1/streams", json=body).raise_for_status()
        done = run("import", "s", source, "--data-dir", folder)
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in run("export", "s", "--data-dir", folder).stdout.splitlines()]
    assert [row["data"] for row in rows] == [{"age": 31.0, "city": "Oslo"}, {"city": "Bergen"}, {"age": 7.5}]


def test_the_demo_gets_good_at_digits_for_a_small_share_of_the_labels(tmp_path: Path) -> None:
    done = run("demo", "--oracle", "--pace", "0", "--port", "0", "--once", "--data-dir", tmp_path)
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("Done")]
    shares = [float(word.rstrip("%")) for word in line.replace(",", " ").split() if word.endswith("%")]
    accuracy, asked = shares
    assert "5391 samples posted" in line
    assert accuracy >= 92
    assert asked <= 10


def test_the_demo_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    words = ("demo", "--oracle", "--pace", "0", "--port", "0", "--samples", "1200")
    with engram(tmp_path, *words) as process:
        client = process.client
        while client.get("/v1/streams/digits/stats").json().get("samples", 0) < 200:
            pass
        process.popen.kill()
        process.popen.wait()
    done = run(*words, "--once", "--data-dir", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "going on from there" in done.stdout
    exported = run("export", "digits", "--data-dir", tmp_path).stdout.splitlines()
    assert [json.loads(line)["id"] for line in exported] == [f"digits-{n:06d}" for n in range(1200)]
