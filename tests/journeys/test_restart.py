"""Stopped or killed, and started again: everything is as before."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import eventually
from tests.journeys.conftest import Process, engram


def feed(client: httpx.Client) -> None:
    """Post samples, answer some of the queries, leave others open."""
    body = {"name": "s", "input": {"kind": "vector", "dim": 2}, "classes": ["a", "b"], "learner": {"seed": 7}}
    client.post("/v1/streams", json=body).raise_for_status()
    for n in range(30):
        sent = {"id": f"s{n}", "data": [n % 7 - 3.0, n % 5 - 2.0]}
        client.post("/v1/streams/s/samples", json=sent).raise_for_status()
    for _ in range(4):
        leased = client.post("/v1/streams/s/queries:lease", json={"limit": 3}).json()["queries"]
        for query in leased:
            label = "a" if query["data"][0] > 0 else "b"
            answer = {"lease_token": query["lease"]["token"], "label": label}
            client.post(f"/v1/queries/{query['id']}:answer", json=answer).raise_for_status()


def seen(client: httpx.Client) -> dict[str, Any]:
    """Return counts, probabilities and queue, once every label is learned and every query is ranked by the model."""
    look = lambda: client.get("/v1/streams/s/stats").raise_for_status().json()  # noqa: E731
    stats = eventually(look, lambda s: s["model_version"] == s["log_seq"] == s["queries"]["stalest_version"])
    samples = [client.get(f"/v1/streams/s/samples/s{n}", params={"at": "now"}).json() for n in range(30)]
    names = ("samples", "labels", "log_seq", "model_version", "accuracy", "query_rate", "health")
    queue = {name: stats["queries"][name] for name in ("asked", "open", "leased", "answered", "skipped")}
    kept = {name: stats[name] for name in names}
    kept["health"].pop("mean_update")
    return {"stats": kept, "queue": queue, "samples": samples}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_counts_probabilities_and_queue_survive_the_end_of_the_process(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with engram(tmp_path, "serve", "--port", "0") as process:
        feed(process.client)
        before = seen(process.client)
        assert process.end(number) == code
    with engram(tmp_path, "serve", "--port", "0") as process:
        assert seen(process.client) == before


def test_a_drained_service_has_stored_the_newest_state(tmp_path: Path) -> None:
    with engram(tmp_path, "serve", "--port", "0") as process:
        feed(process.client)
        assert process.end() == 0
    with engram(tmp_path, "serve", "--port", "0") as process:
        stats = process.client.get("/v1/streams/s/stats").json()
        assert stats["snapshot"]["seq"] == stats["log_seq"] == 12


def test_a_second_service_on_the_same_folder_is_refused_with_one_line(tmp_path: Path) -> None:
    with engram(tmp_path, "serve", "--port", "0") as first:
        url = first.url
        with engram(tmp_path, "serve", "--port", "0") as second:
            assert second.popen.wait(60) == 1
            _wait_for_output(second)
            [line] = second.lines
            assert url in line
            assert "--data-dir" in line


def test_a_taken_port_is_refused_with_one_line(tmp_path: Path) -> None:
    with engram(tmp_path / "one", "serve", "--port", "0") as first:
        port = first.url.rsplit(":", 1)[1]
        with engram(tmp_path / "two", "serve", "--port", port) as second:
            assert second.popen.wait(60) == 1
            _wait_for_output(second)
            [line] = second.lines
            assert port in line


def _wait_for_output(process: Process) -> None:
    eventually(lambda: process.lines, bool)
