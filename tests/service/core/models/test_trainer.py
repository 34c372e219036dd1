"""The trainer: what it applied and could not store at once, it stores later without being asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from service.app import build_parts, close_parts
from service.core import access, streams
from service.core.models.holding import Holdings
from service.core.models.trainer import StreamTrainer
from service.core.parts import Parts
from service.core.samples import ingestion
from service.core.samples.ingestion import SampleIn
from service.core.specs import LearnerSpec, QuerySpec, VectorInput
from service.settings import Settings
from service.storage.writers import OverloadedError


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Return parts without a worker, whose writer takes one write at a time."""
    made = build_parts(Settings(data_dir=tmp_path, write_queue_limit=1))
    yield made
    close_parts(made)


@pytest.fixture
def trainer(parts: Parts) -> StreamTrainer:
    """Return the trainer of a stream with one label that it has not seen."""
    who, _text = parts.db.write_now(lambda c: access.create(c, parts.clock, access.Role.ADMIN))

    async def prepare() -> None:
        await streams.create(
            parts,
            name="s",
            input_spec=VectorInput(kind="vector", dim=1),
            classes=["a"],
            open_classes=True,
            learner=LearnerSpec(seed=1, hidden=[2]),
            query=QuerySpec(),
            guidelines="",
            colours={},
            key=None,
        )

    async def label() -> None:
        await ingestion.ingest_one(parts, "s", SampleIn(None, [1.0], None, "a"), who, None)

    asyncio.run(prepare())
    stream = parts.db.read_now(lambda c: streams.find(c, "s"))
    holdings = Holdings(parts)
    holdings.begin()
    [lease], _surplus = holdings.balance()
    trainer = StreamTrainer.restored(parts, stream, lease)
    asyncio.run(label())
    return trainer


def applied(parts: Parts) -> int:
    return parts.db.read_now(lambda c: streams.find(c, "s")).applied_seq


def test_a_commit_that_failed_is_made_up_for_in_the_next_round(parts: Parts, trainer: StreamTrainer) -> None:
    def rename(old: str, new: str) -> None:
        parts.db.write_now(lambda c: c.execute(sa.text(f"ALTER TABLE streams RENAME COLUMN {old} TO {new}")) and None)

    rename("applied_seq", "mislaid")
    with pytest.raises(OperationalError):
        trainer.advance()
    rename("mislaid", "applied_seq")
    assert applied(parts) == 0

    trainer.advance()
    assert applied(parts) == 1
    assert not trainer.advance()


def test_a_commit_is_not_refused_for_the_requests_that_wait(parts: Parts, trainer: StreamTrainer) -> None:
    busy, free = Event(), Event()
    parts.db._writer.submit(lambda _: busy.set() or free.wait(30))
    assert busy.wait(10)
    waiting = parts.db._writer.submit(lambda _: None)
    with pytest.raises(OverloadedError):
        parts.db._writer.submit(lambda _: None)
    with ThreadPoolExecutor(1) as pool:
        learning = pool.submit(trainer.advance)
        free.set()
        waiting.result(10)
        assert learning.result(10)
    assert applied(parts) == 1
