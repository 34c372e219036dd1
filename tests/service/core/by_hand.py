"""A stream without a server: whoever holds it says when the worker works, crashes and starts again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import Connection

from learner import LearnerState, build
from learner.snapshot import state_hash
from service.app import build_parts, close_parts
from service.clock import SECOND
from service.core import access, monitoring, streams
from service.core.access import Principal, Role
from service.core.history import corrections, rollback
from service.core.history.verification import Report, verify
from service.core.labels import answering, leasing
from service.core.labels.purging import Purging
from service.core.models import jobs
from service.core.models.trainer import StreamTrainer
from service.core.parts import Parts
from service.core.samples import ingestion
from service.core.samples.ingestion import SampleIn
from service.core.specs import LearnerSpec, QuerySpec, RetentionSpec, VectorInput
from service.settings import Settings
from service.storage import leases, log, snapshots
from service.storage.leases import StreamLease
from service.storage.streams import Stream
from service.storage.tables import AnyRow
from tests.conftest import put_tables

T = TypeVar("T")

CLASSES = ("a", "b")
SEED = 5
ASKS_EVERYTHING = QuerySpec(warmup_labels=100_000)


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._now = 1_700_000_000 * SECOND

    def now(self) -> int:
        self._now += 1
        return self._now

    def pass_seconds(self, seconds: float) -> None:
        self._now += int(seconds * SECOND)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def never() -> bool:
    """Return that whoever asked is still there."""
    return False


@dataclass
class History:
    """One stream of vectors of two numbers, its worker, and what its log should hold."""

    parts: Parts
    who: Principal
    name: str
    trainer: StreamTrainer
    purging: Purging
    entries: list[tuple[str, int, str, Any]] = field(default_factory=list)

    @property
    def clock(self) -> ManualClock:
        assert isinstance(self.parts.clock, ManualClock)
        return self.parts.clock

    @property
    def stream(self) -> Stream:
        return self.parts.db.read_now(lambda c: streams.find(c, self.name))

    def label(self, x: tuple[float, float], label: str) -> str:
        """Post a sample with its truth; return the label's id."""
        sent = SampleIn(None, list(x), None, label)
        run(ingestion.ingest_one(self.parts, self.name, sent, self.who, None))
        self.entries.append(("label", 0, label, x))
        return self.rows()[-1].id

    def rows(self) -> list[AnyRow]:
        return list(self.parts.db.read_now(lambda c: log.label_page(c, self.stream.id, 0, 10_000)))

    def row(self, label_id: str) -> AnyRow:
        found = self.parts.db.read_now(lambda c: log.label(c, label_id))
        assert found is not None
        return found

    def correct(self, label_id: str, label: str) -> dict[str, Any]:
        answer = run(corrections.correct(self.parts, self.who, label_id, label))
        self.entries.append(("correction", self.row(label_id).seq, label, None))
        return answer

    def retract(self, label_id: str) -> dict[str, Any]:
        answer = run(corrections.retract(self.parts, self.who, label_id))
        self.entries.append(("retraction", self.row(label_id).seq, "", None))
        return answer

    def roll_back(self, seq: int) -> dict[str, Any]:
        answer = run(rollback.roll_back(self.parts, self.who, self.name, seq, None))
        self.entries.append(("rollback", seq, "", None))
        return dict(answer.body)

    def add_class(self, name: str) -> None:
        run(streams.change(self.parts, self.name, query=None, add_classes=[name]))
        self.entries.append(("class", 0, name, None))

    def post(self, x: Sequence[float]) -> dict[str, Any]:
        """Post a sample without its truth; return the response."""
        sent = SampleIn(None, list(x), None, None)
        return dict(run(ingestion.ingest_one(self.parts, self.name, sent, self.who, None)).body)

    def ask_and_answer(self, x: tuple[float, float], label: str) -> str:
        """Post a sample, and answer its query as a person does; return the label's id."""
        return self.answer(self.post(x)["query"]["id"], x, label)

    def answer(self, query_id: str, x: Sequence[float], label: str) -> str:
        """Answer a sample's query as a person does; return the label's id."""
        held = run(leasing.lease(self.parts, self.who, self.name, 10, 0, never))
        [token] = [one["lease"]["token"] for one in held if one["id"] == query_id]
        answered = run(answering.answer(self.parts, self.who, query_id, token, label, None, None))
        self.entries.append(("label", 0, label, x))
        return str(answered.body["label_id"])

    def job(self, job: dict[str, Any]) -> dict[str, Any]:
        return self.parts.db.read_now(lambda c: jobs.look(c, job["id"]))

    def figures(self) -> dict[str, Any]:
        """Return what operators see of the stream."""
        return self.parts.db.read_now(lambda c: monitoring.stats(c, self.parts, self.name))

    def restart(self) -> None:
        """Lose all that was in memory."""
        self.parts.models.forget(self.stream.id)
        self.trainer = StreamTrainer.restored(self.parts, self.stream, lease_of(self.parts, self.stream.id))
        self.purging = Purging(self.parts)

    def catch_up(self) -> LearnerState:
        """Let go of what is over its time, and learn all there is."""
        self.purging.keep(self.stream)
        while self.trainer.advance():
            pass
        return self.trainer._state

    def expected(self, until: int | None = None) -> LearnerState:
        """Return what the ten lines below make of the entries."""
        then: list[dict[int, tuple[str, str, Any]]] = [{}]
        for seq, (kind, target, label, x) in enumerate(self.entries, 1):
            now = dict(then[target if kind == "rollback" else -1])
            if kind == "retraction":
                del now[target]
            elif kind == "correction":
                now[target] = ("label", label, now[target][2])
            elif kind != "rollback":
                now[seq] = (kind, label, x)
            then.append(now)
        end = len(self.entries) if until is None else until
        state = (learner := made()).start(CLASSES)
        for seq, (kind, label, x) in sorted(then[end].items()):
            if kind == "class":
                state = learner.add_class(state, label, seq=seq)
            else:
                state, _info = learner.learn(state, np.array(x, dtype=np.float32), label, seq=seq)
        return replace(state, seq=end)

    def agrees(self) -> None:
        """Check that the worker has reached just what the entries say."""
        assert state_hash(self.catch_up()) == state_hash(self.expected())

    def stored(self) -> list[AnyRow]:
        return list(self.parts.db.read_now(lambda c: snapshots.newest_first(c, self.stream.id)))

    def verified(self) -> Report:
        return verify(self.parts.db, self.name, "cpu")


def lease_of(parts: Parts, stream_id: int) -> StreamLease:
    """Return the lease of the only worker there is."""

    def work(connection: Connection) -> StreamLease:
        leases.beat(connection, "worker", started_at=0, until=2**62)
        leases.take(connection, "worker", parts.clock.now(), 1000)
        return next(lease for lease in leases.held(connection, "worker") if lease.stream_id == stream_id)

    return parts.db.write_now(work)


def made() -> Any:
    spec = LearnerSpec(seed=SEED, hidden=[4], components=2)
    return build(
        {"kind": "vector", "dim": 2}, seed=SEED, hidden=(4,), votes=spec.votes, components=2, rates=tuple(spec.rates)
    )


@contextmanager
def history(
    folder: Path, url: str | None = None, *, retention: RetentionSpec | None = None, **settings: Any
) -> Iterator[History]:
    """Open a stream of its own in an empty database."""
    clock = ManualClock()
    chosen = Settings(data_dir=folder, database_url=url, **settings)
    put_tables(chosen.database)
    parts = build_parts(chosen, clock=clock)
    try:
        who, _text = parts.db.write_now(lambda c: access.create(c, clock, Role.ADMIN))
        yield begin(parts, who, "s", retention)
    finally:
        close_parts(parts)


def begin(
    parts: Parts,
    who: Principal,
    name: str,
    retention: RetentionSpec | None = None,
    query: QuerySpec = ASKS_EVERYTHING,
    dim: int = 2,
) -> History:
    """Make a stream."""
    run(
        streams.create(
            parts,
            name=name,
            input_spec=VectorInput(kind="vector", dim=dim),
            classes=list(CLASSES),
            open_classes=True,
            learner=LearnerSpec(seed=SEED, hidden=[4], components=2),
            query=query,
            guidelines="",
            colours={},
            key=None,
            retention=retention,
        )
    )
    stream = parts.db.read_now(lambda c: streams.find(c, name))
    trainer = StreamTrainer.restored(parts, stream, lease_of(parts, stream.id))
    return History(parts, who, name, trainer, Purging(parts))
