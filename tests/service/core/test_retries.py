"""A request that is sent again, because its answer was lost, changes nothing twice and is answered alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from service.storage.tables import metadata
from tests.conftest import Running

# What counts requests, not what they did, and what time alone changes.
LEFT_OUT = {"idempotency", "workers", "writers", "updates", "snapshots", "watches"}
CHANGED_BY_THE_WORKER = {"streams.applied_seq", "streams.ranked_seq", "queries.utility", "queries.ranked_at"}

Request = tuple[str, str, dict[str, Any] | None]


def stored(service: Running) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row that a request may have written."""

    def work(connection: sa.Connection) -> dict[str, list[tuple[Any, ...]]]:
        tables = {table.name: table for table in metadata.sorted_tables if table.name not in LEFT_OUT}
        found = {name: _rows(connection, table) for name, table in tables.items()}
        events = metadata.tables["events"]
        told = sa.select(events.c.type, events.c.data).where(events.c.type.not_in(["update", "snapshot"]))
        return found | {"events": [tuple(row) for row in connection.execute(told.order_by(events.c.id))]}

    return service.parts.db.read_now(work)


def _rows(connection: sa.Connection, table: sa.Table) -> list[tuple[Any, ...]]:
    chosen = sa.select(*(column for column in table.c if str(column) not in CHANGED_BY_THE_WORKER))
    return sorted((tuple(row) for row in connection.execute(chosen)), key=repr)


def leased(service: Running) -> dict[str, Any]:
    service.post([1, 2])
    return service.lease()[0]


def batch(_service: Running) -> Request:
    rows = [{"data": [1, 2]}, {"data": [2, 1], "label": "a"}, {"data": "wrong"}]
    return "POST", "/v1/streams/s/samples:batch", {"samples": rows}


def stream(_service: Running) -> Request:
    return "POST", "/v1/streams", {"name": "t", "input": {"kind": "vector", "dim": 1}}


def sample(_service: Running) -> Request:
    return "POST", "/v1/streams/s/samples", {"data": [3, 4], "label": "b"}


def lease(service: Running) -> Request:
    for n in range(3):
        service.post([n, 2])
    return "POST", "/v1/streams/s/queries:lease", {"limit": 2}


def last_lease(service: Running) -> Request:
    service.post([1, 2])
    return "POST", "/v1/streams/s/queries:lease", {"limit": 5}


def sample_of_own_id(_service: Running) -> Request:
    return "POST", "/v1/streams/s/samples", {"id": "mine", "data": [3, 4], "label": "b"}


def answer(service: Running) -> Request:
    query = leased(service)
    return "POST", f"/v1/queries/{query['id']}:answer", {"lease_token": query["lease"]["token"], "label": "a"}


def late_answer(service: Running) -> Request:
    query = leased(service)
    return "POST", f"/v1/queries/{query['id']}:answer", {"lease_token": "lost", "label": "a"}


def skip(reason: str) -> Callable[[Running], Request]:
    def request(service: Running) -> Request:
        query = leased(service)
        body = {"lease_token": query["lease"]["token"], "reason": reason}
        return "POST", f"/v1/queries/{query['id']}:skip", body

    return request


def release(service: Running) -> Request:
    query = leased(service)
    return "POST", f"/v1/queries/{query['id']}:release", {"lease_token": query["lease"]["token"]}


def truth(service: Running) -> Request:
    service.post([1, 2], id="x")
    return "POST", "/v1/streams/s/labels", {"sample_id": "x", "label": "a"}


def classes(_service: Running) -> Request:
    return "PATCH", "/v1/streams/s", {"add_classes": ["c"], "guidelines": "look twice"}


BY_KEY = {"stream": stream, "sample": sample, "batch": batch, "lease": lease, "last lease": last_lease}
BY_ITSELF = {
    "sample of own id": sample_of_own_id,
    "answer": answer,
    "late answer": late_answer,
    "skip, unclear": skip("unclear"),
    "skip, not for me": skip("not_for_me"),
    "release": release,
    "truth": truth,
    "classes": classes,
}


@pytest.fixture
def prepared(service_on: Running) -> Running:
    service_on.stream(classes=["a", "b"], query={"warmup_labels": 100})
    return service_on


def send(service: Running, request: Request, key: str | None) -> httpx.Response:
    method, path, body = request
    headers = {} if key is None else {"Idempotency-Key": key}
    return service.client.request(method, path, json=body, headers=headers)


def assert_once(service: Running, request: Request, key: str | None) -> None:
    first = send(service, request, key)
    assert first.status_code < 300 or first.status_code == 410, first.text
    before = stored(service)
    for _ in range(2):
        again = send(service, request, key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
    assert stored(service) == before


@pytest.mark.parametrize("made", [*BY_KEY.values(), *BY_ITSELF.values()], ids=[*BY_KEY, *BY_ITSELF])
def test_a_retry_under_its_key_changes_nothing(prepared: Running, made: Callable[[Running], Request]) -> None:
    assert_once(prepared, made(prepared), "again")


@pytest.mark.parametrize("made", BY_ITSELF.values(), ids=BY_ITSELF)
def test_a_retry_without_a_key_changes_nothing_where_the_request_says_what_it_is(
    prepared: Running, made: Callable[[Running], Request]
) -> None:
    assert_once(prepared, made(prepared), None)


def test_a_retried_skip_does_not_touch_who_holds_the_query_by_now(prepared: Running) -> None:
    _method, path, body = skip("not_for_me")(prepared)
    prepared.client.post(path, json=body).raise_for_status()
    with prepared.as_role("annotator") as other:
        held = other.post("/v1/streams/s/queries:lease", json={"limit": 1}).json()["queries"][0]
        assert prepared.client.post(path, json=body).status_code == 204
        said = {"lease_token": held["lease"]["token"], "label": "a"}
        assert other.post(f"/v1/queries/{held['id']}:answer", json=said).status_code == 200


def test_a_released_query_that_another_holds_cannot_be_released_again(prepared: Running) -> None:
    _method, path, body = release(prepared)
    prepared.client.post(path, json=body).raise_for_status()
    with prepared.as_role("annotator") as other:
        assert other.post("/v1/streams/s/queries:lease", json={"limit": 1}).json()["queries"]
        assert prepared.client.post(path, json=body).status_code == 410


def test_a_lease_of_nothing_is_not_remembered(prepared: Running) -> None:
    path, headers = "/v1/streams/s/queries:lease", {"Idempotency-Key": "k"}
    assert prepared.client.post(path, json={"limit": 1}, headers=headers).json() == {"queries": []}
    prepared.post([1, 2])
    assert len(prepared.client.post(path, json={"limit": 1}, headers=headers).json()["queries"]) == 1


def test_the_payloads_of_leased_samples_are_not_kept_with_the_key(prepared: Running) -> None:
    prepared.post([1234.5, 2])
    prepared.client.post("/v1/streams/s/queries:lease", json={"limit": 1}, headers={"Idempotency-Key": "k"})
    kept = metadata.tables["idempotency"]
    [[answer_kept]] = prepared.parts.db.read_now(lambda c: c.execute(sa.select(kept.c.answer)).all())
    assert "1234.5" not in str(answer_kept)
