"""A process that does not learn answers as the one that does, at the same version to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from learner.snapshot import state_hash
from service.app import build_parts, close_parts
from service.core import streams
from service.core.parts import Parts
from service.following import Follower
from service.settings import Settings
from service.storage.streams import Stream
from tests.conftest import Running, eventually, running


@pytest.fixture
def pair(database_url: str, tmp_path: Path) -> Iterator[tuple[Running, Parts]]:
    """Return a service that learns, and the parts of a process beside it that only reads."""
    settings = Settings(data_dir=tmp_path, database_url=database_url, poll_seconds=0.05, snapshot_every=20)
    with running(settings) as learning:
        parts = build_parts(settings)
        try:
            yield learning, parts
        finally:
            close_parts(parts)


def row(parts: Parts) -> Stream:
    return parts.db.read_now(lambda c: streams.find(c, "s"))


def teach(service: Running, first: int, count: int) -> None:
    rows = [{"id": f"s{n}", "data": [n % 7 - 3, n % 5 - 2], "label": "ab"[n % 2]} for n in range(first, first + count)]
    service.client.post("/v1/streams/s/samples:batch", json={"samples": rows}).raise_for_status()
    service.settled()


def assert_alike(service: Running, parts: Parts) -> None:
    here, there = parts.models.state(row(parts)), service.parts.models.state(row(service.parts))
    assert here.seq == there.seq
    assert state_hash(here) == state_hash(there)


@pytest.mark.parametrize("count", [10, 64, 200], ids=["a short way", "the longest short way", "a long way"])
def test_a_follower_comes_to_the_same_state_over_any_way(pair: tuple[Running, Parts], count: int) -> None:
    service, parts = pair
    service.stream(classes=["a", "b"])
    teach(service, 0, 30)
    parts.models.follow(row(parts))
    assert_alike(service, parts)
    teach(service, 30, count)
    parts.models.follow(row(parts))
    assert_alike(service, parts)


def test_a_follower_forgets_what_was_taken_back(pair: tuple[Running, Parts]) -> None:
    service, parts = pair
    service.stream(classes=["a", "b"])
    teach(service, 0, 30)
    parts.models.follow(row(parts))
    wrong = service.client.get("/v1/streams/s/labels").json()["items"][11]
    service.client.delete(f"/v1/labels/{wrong['label_id']}").raise_for_status()
    service.settled()
    parts.models.follow(row(parts))
    assert_alike(service, parts)


def test_ready_once_all_models_are_there_and_fresh_from_then_on(pair: tuple[Running, Parts]) -> None:
    service, parts = pair
    service.stream(classes=["a", "b"])
    service.stream("other", classes=["a", "b"])
    teach(service, 0, 10)
    follower = Follower(parts)
    assert not parts.ready.is_set()
    follower.start()
    try:
        assert parts.ready.wait(20)
        assert len(parts.models.known()) == 2
        assert_alike(service, parts)
        teach(service, 10, 10)
        assert eventually(lambda: parts.models.scorer(row(parts)).seq, lambda seq: seq == 20) == 20
        service.client.delete("/v1/streams/other").raise_for_status()
        eventually(parts.models.known, lambda known: len(known) == 1)
    finally:
        follower.end()
