"""Whoever waits for a service that starts is told how far it is."""

from __future__ import annotations

from typing import Any

import httpx

from service.app import create_app
from service.core.models.recovery import Recovery
from service.core.models.trainer import StreamTrainer
from tests.service.core.by_hand import History, lease_of, run
from tests.service.core.conftest import grown


async def readyz(past: History) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(past.parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://engram") as client:
        return await client.get("/readyz")


def test_a_service_that_restores_says_how_many_entries_are_left(past: History) -> None:
    grown(past, 10)
    for n in range(3):
        past.label((n, 1), "a")
    told: list[dict[str, Any]] = []
    report = past.parts.recovery.report

    def listen(stream: str, done: int, total: int) -> None:
        report(stream, done, total)
        told.append(past.parts.recovery.body())

    past.parts.recovery.report = listen  # type: ignore[method-assign]
    trainer = StreamTrainer.restored(past.parts, past.stream, lease_of(past.parts, past.stream.id))
    assert told[0] == {
        "streams": 1,
        "streams_done": 0,
        "entries_done": 0,
        "entries_total": 3,
        "waiting": {"s": {"done": 0, "total": 3}},
    }
    answer = run(readyz(past))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["restoring"]["waiting"]["s"]["total"] >= 3
    while trainer.advance():
        pass
    assert run(readyz(past)).json()["restoring"]["streams_done"] == 1
    past.parts.ready.set()
    assert run(readyz(past)).status_code == 200


def test_progress_is_the_sum_over_all_streams() -> None:
    recovery = Recovery()
    recovery.report("a", 5, 10)
    recovery.report("b", 3, 3)
    found = recovery.body()
    assert (found["streams"], found["streams_done"]) == (2, 1)
    assert (found["entries_done"], found["entries_total"]) == (8, 13)
    assert found["waiting"] == {"a": {"done": 5, "total": 10}}
