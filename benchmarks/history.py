"""Taking back label k of many while scoring goes on, and a restart with a long log, against the running service.

    python -m benchmarks.history [--labels 5000] [--log 100000]

Labels are scikit-learn's digits, repeated. The state after the retractions is compared, by hash, with the library's
fold over the same entries without those labels. Scoring is the time of a POST of one sample, in turn without and
during a rebuild. The restart is from SIGKILL to a ready service, beside the start of an empty one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sklearn.datasets import load_digits

from benchmarks.reporting import report
from learner import build
from learner.snapshot import state_hash
from service.clock import SystemClock
from service.core import streams
from service.core.models.training import apprentice
from service.core.specs import LearnerSpec, QuerySpec
from service.storage import log, snapshots
from service.storage import streams as stream_rows
from service.storage.session import Database

ENGRAM = [sys.executable, "-c", "from service.cli import main; main()"]
PLACES = (0, 1, 2)
QUIET_SECONDS = 4.0
BATCH = 500


def main() -> None:
    """Measure both, and print a line of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=5000, help="labels before the first is taken back")
    parser.add_argument("--log", type=int, default=100_000, help="labels in the log of the restart")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report("history_retraction", retraction(Path(folder) / "retraction", options.labels))
        report("history_restart", restart(Path(folder) / "restart", options.log))


def retraction(folder: Path, labels: int) -> dict[str, Any]:
    """Take back the first labels one after another, posting samples before and during."""
    digits = load_digits()
    rows, names = digits.data / 16.0, digits.target
    quiet: list[float] = []
    busy: list[float] = []
    totals = []
    with served(folder) as (client, end):
        body = {"name": "s", "input": {"kind": "vector", "dim": 64}, "classes": list("0123456789")}
        client.post("/v1/streams", json=body | {"learner": {"seed": 7}}).raise_for_status()
        for start in range(0, labels, BATCH):
            some = [n % len(rows) for n in range(start, min(labels, start + BATCH))]
            sent = [{"data": rows[n].tolist(), "label": str(names[n])} for n in some]
            client.post("/v1/streams/s/samples:batch", json={"samples": sent}).raise_for_status()
        settle(client)
        ids = [item["label_id"] for item in client.get("/v1/streams/s/labels", params={"limit": 10}).json()["items"]]
        posted = (post(client, rows[n % len(rows)]) for n in count())
        for _ in range(50):
            next(posted)
        rebuilding = 0.0
        for place in PLACES:
            until = time.perf_counter() + QUIET_SECONDS
            quiet += during(posted, lambda until=until: time.perf_counter() < until)
            begin = time.perf_counter()
            job = client.delete(f"/v1/labels/{ids[place]}").raise_for_status().json()["job"]["id"]
            look = watched(client, job)
            busy += during(posted, lambda look=look: look()["state"] != "done")
            rebuilding += time.perf_counter() - begin
            totals.append(look()["total"])
        assert end() == 0
    p99 = [float(np.percentile(times, 99)) for times in (quiet, busy)]
    p50 = [float(np.median(times)) for times in (quiet, busy)]
    return {
        "labels": labels,
        "retracted": len(PLACES),
        "same_as_without_them": same_as_without(folder, {place + 1 for place in PLACES}),
        "rebuilt_entries": max(totals),
        "rebuild_s": rebuilding / len(PLACES),
        "posts_before": len(quiet),
        "posts_during": len(busy),
        "score_p50_ms_before": 1e3 * p50[0],
        "score_p50_ms_during": 1e3 * p50[1],
        "score_p99_ms_before": 1e3 * p99[0],
        "score_p99_ms_during": 1e3 * p99[1],
        "score_p99_ratio": p99[1] / p99[0],
    }


def same_as_without(folder: Path, taken_back: set[int]) -> bool:
    """Return whether the state stored at the end is that of a learner which never saw those labels."""
    db = Database(f"sqlite:///{folder / 'engram.db'}")
    try:
        stream = db.read_now(lambda c: streams.find(c, "s"))
        entries = db.read_now(lambda c: log.entries(c, stream.id, 0, stream.log_seq))
        newest = db.read_now(lambda c: snapshots.newest_first(c, stream.id))[0]
    finally:
        db.close()
    learner = build(stream.input, seed=stream.learner["seed"])
    state = learner.start(tuple(stream.initial_classes))
    for entry in entries:
        if entry.kind == log.LABEL and entry.seq not in taken_back:
            x = np.frombuffer(entry.features, dtype=np.float32)
            state, _ = learner.learn(state, x, entry.label, seq=entry.seq)
    return bool(newest.seq == stream.log_seq and newest.hash == state_hash(replace(state, seq=stream.log_seq)))


def restart(folder: Path, labels: int) -> dict[str, Any]:
    """Kill a service that has learned a long log, and time its start."""
    with served(folder.with_name("empty")) as (_client, end):
        end()
    empty = start_seconds(folder.with_name("empty"))
    write_log(folder, labels)
    with served(folder, ENGRAM_SNAPSHOT_SECONDS="100000") as (client, end):
        settle(client, "long")
        snapshot = client.get("/v1/streams/long/stats").json()["snapshot"]["seq"]
        end(kill=True)
    long = start_seconds(folder)
    with served(folder) as (client, _end):
        assert client.get("/v1/streams/long/stats").json()["model_version"] == labels
    return {
        "log": labels,
        "replayed": labels - snapshot,
        "empty_start_s": empty[0],
        "empty_start_cpu_s": empty[1],
        "restart_ready_s": long[0],
        "restart_ready_cpu_s": long[1],
    }


def start_seconds(folder: Path) -> tuple[float, float]:
    """Return the time from a process to a ready service, and the processor time that it took; the service is killed."""
    begin, before = time.perf_counter(), os.times()
    with served(folder) as (_client, end):
        ready = time.perf_counter() - begin
        end(kill=True)
    after = os.times()
    return ready, after.children_user + after.children_system - before.children_user - before.children_system


def write_log(folder: Path, labels: int) -> None:
    """Write a stream of small vectors whose log has that many labels."""
    folder.mkdir(parents=True)
    db, clock = Database(f"sqlite:///{folder / 'engram.db'}"), SystemClock()
    db.migrate()
    learner = LearnerSpec(seed=7, hidden=[16], rates=[], votes=2)
    fixed = {
        "open_classes": True,
        "query": QuerySpec().model_dump(),
        "guidelines": "",
        "colours": {},
        "created_at": clock.now(),
    }
    given = {"name": "long", "input": {"kind": "vector", "dim": 8}, "learner": learner.model_dump()}
    classes = {"initial_classes": ["a", "b"], "classes": ["a", "b"]}
    stream = db.write_now(lambda c: stream_rows.insert(c, **fixed, **given, **classes))
    assert stream is not None
    apprentice(stream, "cpu")
    rows = np.random.Generator(np.random.Philox(0)).normal(size=(labels, 8)).astype(np.float32)

    def write(connection: Any, start: int) -> None:
        for row in rows[start : start + BATCH]:
            label = "a" if row[0] > 0 else "b"
            log.append(connection, stream.id, log.LABEL, clock.now(), label=label, features=row.tobytes())

    for start in range(0, labels, BATCH):
        db.write_now(lambda c, start=start: write(c, start))
    db.close()


@contextmanager
def served(folder: Path, **environment: str) -> Iterator[tuple[httpx.Client, Callable[..., int]]]:
    """Serve a folder in a process of its own, until the block ends."""
    environment = dict(os.environ) | environment  # noqa: TID251 - handed on
    command = [*ENGRAM, "serve", "--port", "0", "--data-dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    headers = {"Authorization": f"Bearer {(folder / 'admin.token').read_text().strip()}"}

    def end(*, kill: bool = False) -> int:
        process.kill() if kill else process.terminate()
        return process.wait(120)

    try:
        with httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as client:
            while not ready(client):
                time.sleep(0.01)
            yield client, end
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ready(client: httpx.Client) -> bool:
    """Return whether the service is ready."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def settle(client: httpx.Client, name: str = "s") -> None:
    """Wait until every label is learned."""
    while (found := client.get(f"/v1/streams/{name}/stats").json())["applied_seq"] != found["log_seq"]:
        time.sleep(0.2)


def post(client: httpx.Client, row: Any) -> float:
    """Post a sample; return the seconds that its answer took."""
    begin = time.perf_counter()
    client.post("/v1/streams/s/samples", json={"data": row.tolist()}).raise_for_status()
    return time.perf_counter() - begin


def during(posted: Iterator[float], while_true: Callable[[], bool]) -> list[float]:
    """Post as long as it is so; return the seconds of each post."""
    times = []
    while while_true():
        times.append(next(posted))
    return times


def watched(client: httpx.Client, job: str) -> Callable[[], dict[str, Any]]:
    """Return what looks at a job, at most ten times a second."""
    seen: dict[str, Any] = {"state": "queued", "at": 0.0}

    def look() -> dict[str, Any]:
        if seen["state"] != "done" and time.perf_counter() - seen["at"] > 0.1:
            seen.update(client.get(f"/v1/jobs/{job}").json(), at=time.perf_counter())
        return seen

    return look


if __name__ == "__main__":
    main()
