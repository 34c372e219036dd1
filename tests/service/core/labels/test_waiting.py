"""Nobody who waits for a query is passed over: in the order of coming, and one each while others wait."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import pytest

from tests.conftest import Running, eventually

_names = (f"wait{n}" for n in count())


@pytest.fixture
def people(shared: Running) -> Iterator[list[httpx.Client]]:
    clients = [shared.as_role("annotator") for _ in range(3)]
    yield clients
    for client in clients:
        client.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def stream(service: Running) -> str:
    name = next(_names)
    service.stream(name, classes=["a", "b"], query={"warmup_labels": 100})
    return name


def lease(client: httpx.Client, name: str, limit: int, wait: float) -> list[dict[str, Any]]:
    body = {"limit": limit, "wait_seconds": wait}
    answer = client.post(f"/v1/streams/{name}/queries:lease", json=body)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["queries"])


def in_line(
    service: Running, pool: ThreadPoolExecutor, people: list[httpx.Client], name: str, limit: int
) -> list[Future[list[dict[str, Any]]]]:
    """Let people wait, one behind the other."""
    waiting = []
    for number, client in enumerate(people, 1):
        waiting.append(pool.submit(lease, client, name, limit, 30))
        eventually(lambda: len(service.parts.lines[name].turns), lambda length: length == number)  # noqa: B023
    return waiting


def test_who_came_first_is_served_first(shared: Running, pool: ThreadPoolExecutor, people: list[httpx.Client]) -> None:
    name = stream(shared)
    waiting = in_line(shared, pool, people, name, limit=1)
    for number, served in enumerate(waiting):
        posted = shared.post([number, 1], name)
        assert [query["id"] for query in served.result(20)] == [posted["query"]["id"]]
        assert not any(other.done() for other in waiting[number + 1 :])


def test_who_wants_ten_takes_one_while_others_wait(
    shared: Running, pool: ThreadPoolExecutor, people: list[httpx.Client]
) -> None:
    name = stream(shared)
    waiting = in_line(shared, pool, people, name, limit=10)
    body = {"samples": [{"data": [n, n]} for n in range(3)]}
    shared.client.post(f"/v1/streams/{name}/samples:batch", json=body).raise_for_status()
    assert [len(served.result(20)) for served in waiting] == [1, 1, 1]


def test_who_gives_up_or_goes_away_keeps_nobody_from_being_served(
    shared: Running, pool: ThreadPoolExecutor, people: list[httpx.Client]
) -> None:
    name = stream(shared)
    impatient = pool.submit(lease, people[0], name, 1, 0.5)
    eventually(lambda: len(shared.parts.lines[name].turns), lambda length: length == 1)
    with pytest.raises(httpx.ReadTimeout):
        people[1].post(f"/v1/streams/{name}/queries:lease", json={"wait_seconds": 30}, timeout=0.3)
    patient = pool.submit(lease, people[2], name, 1, 30)
    assert impatient.result(20) == []
    posted = shared.post([1, 1], name)
    assert [query["id"] for query in patient.result(20)] == [posted["query"]["id"]]
    eventually(lambda: shared.parts.lines[name].turns, lambda turns: turns == [])


def test_one_who_has_skipped_all_waits_while_the_next_in_line_is_served(
    shared: Running, pool: ThreadPoolExecutor, people: list[httpx.Client]
) -> None:
    name = stream(shared)
    shared.post([1, 1], name)
    [query] = lease(people[0], name, 1, 0)
    body = {"lease_token": query["lease"]["token"], "reason": "not_for_me"}
    assert people[0].post(f"/v1/queries/{query['id']}:skip", json=body).status_code == 204
    skipped = pool.submit(lease, people[0], name, 1, 30)
    eventually(lambda: len(shared.parts.lines[name].turns), lambda length: length == 1)
    assert [found["id"] for found in lease(people[1], name, 1, 0)] == [query["id"]]
    posted = shared.post([2, 2], name)
    assert [found["id"] for found in skipped.result(20)] == [posted["query"]["id"]]
