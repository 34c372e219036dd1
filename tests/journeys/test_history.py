"""History from the command line: snapshots, rollback, and the proof, on the data of a real run."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

from tests.conftest import eventually
from tests.journeys.conftest import ENGRAM, clean_environment, engram


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ENGRAM, *words, "--data-dir", str(folder)],
        capture_output=True,
        text=True,
        env=clean_environment(),
        timeout=300,
        check=False,
    )


def test_the_demo_s_data_prove_themselves_and_one_flipped_byte_does_not(tmp_path: Path) -> None:
    options = ("--oracle", "--pace", "0", "--samples", "150", "--once", "--port", "0")
    with engram(tmp_path, "demo", *options, ENGRAM_SNAPSHOT_EVERY="20") as process:
        assert process.popen.wait(300) == 0, "".join(process.lines)
    proved = ran(tmp_path, "verify", "digits")
    assert proved.returncode == 0, proved.stderr
    assert "all agree" in proved.stdout
    listed = ran(tmp_path, "snapshots", "digits", "--take")
    assert listed.returncode == 0, listed.stderr
    newest = int(listed.stdout.splitlines()[1].split()[0])
    back = ran(tmp_path, "rollback", "digits", "--seq", "10")
    assert back.returncode == 0, back.stderr
    assert "as it was after entry 10" in back.stdout
    assert ran(tmp_path, "verify", "digits").returncode == 0
    beyond = ran(tmp_path, "rollback", "digits", "--seq", str(newest + 100))
    assert beyond.returncode == 1
    assert "the log's end" in beyond.stderr
    assert len(beyond.stderr.splitlines()) == 1
    with sqlite3.connect(tmp_path / "engram.db") as database:
        database.execute("UPDATE log SET label = CASE label WHEN '1' THEN '2' ELSE '1' END WHERE seq = 7")
    database.close()
    damaged = ran(tmp_path, "verify", "digits")
    assert damaged.returncode == 1
    assert "entry 7 of the log" in damaged.stderr
    assert len(damaged.stderr.splitlines()) == 1
    unknown = ran(tmp_path, "verify", "nothing")
    assert unknown.returncode == 1
    assert "no stream 'nothing'" in unknown.stderr


def test_a_killed_service_goes_on_with_a_rebuild(tmp_path: Path) -> None:
    body = {"name": "s", "input": {"kind": "vector", "dim": 2}, "classes": ["a", "b"], "learner": {"seed": 7}}
    with engram(tmp_path, "serve", "--port", "0", ENGRAM_SNAPSHOT_EVERY="50") as process:
        client = process.client
        client.post("/v1/streams", json=body).raise_for_status()
        sent = [{"data": [n % 7 - 3, n % 5 - 2], "label": "ab"[n % 2]} for n in range(300)]
        client.post("/v1/streams/s/samples:batch", json={"samples": sent}).raise_for_status()
        figures = lambda: client.get("/v1/streams/s/stats").json()  # noqa: E731
        eventually(figures, lambda s: s["applied_seq"] == 300, 60)
        [first] = client.get("/v1/streams/s/labels", params={"limit": 1}).json()["items"]
        job = client.delete(f"/v1/labels/{first['label_id']}").json()["job"]
        process.end(9)
    with engram(tmp_path, "serve", "--port", "0") as process:
        client = process.client
        look = lambda: client.get(f"/v1/jobs/{job['id']}").json()  # noqa: E731
        assert eventually(look, lambda found: found["state"] == "done", 60)["error"] is None
        assert client.get("/v1/streams/s/stats").json()["applied_seq"] == 301
        assert process.end() == 0
    assert ran(tmp_path, "verify", "s").returncode == 0
