"""Workers share the streams evenly, whoever comes and goes, and no worker writes what another holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.app import build_parts, close_parts
from service.clock import SECOND
from service.core import access, streams
from service.core.errors import StreamLostError
from service.core.models.holding import Holdings, quota
from service.core.models.trainer import StreamTrainer
from service.core.parts import Parts
from service.core.samples import ingestion
from service.core.samples.ingestion import SampleIn
from service.core.specs import LearnerSpec, QuerySpec, VectorInput
from service.settings import Settings
from tests.conftest import postgres_database


@dataclass
class HeldClock:
    """Stands still until it is moved."""

    at: int = 1_000_000 * SECOND

    def now(self) -> int:
        return self.at


@given(st.lists(st.text(min_size=1), min_size=1, max_size=8, unique=True), st.integers(0, 40))
def test_quotas_add_up_and_differ_by_at_most_one(alive: list[str], count: int) -> None:
    shares = [quota(worker, alive, count) for worker in alive]
    assert sum(shares) == count
    assert max(shares) - min(shares) <= 1


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with postgres_database() as url:
        made = build_parts(Settings(data_dir=tmp_path, database_url=url), clock=HeldClock())
        yield made
        close_parts(made)


def add_streams(parts: Parts, count: int) -> None:
    async def work() -> None:
        for n in range(count):
            await streams.create(
                parts,
                name=f"s{n}",
                input_spec=VectorInput(kind="vector", dim=1),
                classes=["a", "b"],
                open_classes=True,
                learner=LearnerSpec(seed=1, hidden=[2]),
                query=QuerySpec(),
                guidelines="",
                colours={},
                key=None,
            )

    asyncio.run(work())


def begun(parts: Parts, count: int) -> list[Holdings]:
    made = []
    for _ in range(count):
        parts.clock.at += 1  # who starts first is known
        made.append(Holdings(parts))
        made[-1].begin()
    return made


def settle(workers: list[Holdings]) -> list[int]:
    """Let each look twice, and return how many streams each holds then."""
    for _ in range(2):
        for worker in workers:
            _held, surplus = worker.balance()
            for lease in surplus:
                worker.give_back(lease)
    return [len(worker.balance()[0]) for worker in workers]


def test_streams_are_shared_evenly_as_workers_come_and_go(parts: Parts) -> None:
    add_streams(parts, 5)
    [first] = begun(parts, 1)
    assert settle([first]) == [5]
    second, third = begun(parts, 2)
    assert settle([first, second, third]) == [2, 2, 1]
    second.end()
    assert settle([first, third]) == [3, 2]
    parts.clock.at += parts.settings.worker_lease_seconds * SECOND
    third.beat()  # the first is silent
    assert settle([third]) == [5]
    first.beat()  # and comes back
    assert settle([first, third]) == [2, 3]  # the one in the middle stays where it is


def test_a_worker_that_was_paused_cannot_write_what_another_has_taken(parts: Parts) -> None:
    add_streams(parts, 1)
    who, _text = parts.db.write_now(lambda c: access.create(c, parts.clock, access.Role.ADMIN))
    paused, other = begun(parts, 1)[0], begun(parts, 1)[0]
    stream = parts.db.read_now(lambda c: streams.find(c, "s0"))
    [lease], _surplus = paused.balance()
    old = StreamTrainer.restored(parts, stream, lease)

    def label(n: int) -> None:
        asyncio.run(ingestion.ingest_one(parts, "s0", SampleIn(f"x{n}", [float(n)], None, "ab"[n % 2]), who, None))

    label(1)
    old.advance()
    parts.clock.at += parts.settings.worker_lease_seconds * SECOND
    other.beat()
    [taken], _surplus = other.balance()
    assert (taken.stream_id, taken.fence) == (stream.id, lease.fence + 1)
    label(2)
    with pytest.raises(StreamLostError):
        old.advance()
    assert parts.db.read_now(lambda c: streams.find(c, "s0")).applied_seq == 1
    new = StreamTrainer.restored(parts, parts.db.read_now(lambda c: streams.find(c, "s0")), taken)
    new.advance()
    assert parts.db.read_now(lambda c: streams.find(c, "s0")).applied_seq == 2
    with pytest.raises(StreamLostError):
        old.snapshot()


def test_what_an_embedded_service_left_behind_is_free_at_once(tmp_path: Path) -> None:
    parts = build_parts(Settings(data_dir=tmp_path))
    try:
        add_streams(parts, 2)
        [killed] = begun(replace(parts, clock=HeldClock()), 1)
        assert settle([killed]) == [2]
        [again] = begun(replace(parts, clock=HeldClock()), 1)
        assert settle([again]) == [2]
        assert [lease.fence for lease in again.balance()[0]] == [2, 2]
    finally:
        close_parts(parts)
