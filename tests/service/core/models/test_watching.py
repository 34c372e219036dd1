"""The watch for drift: every sample and label once, whatever breaks in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from service.app import build_parts, close_parts
from service.core import streams
from service.core.errors import StreamLostError
from service.core.models import watching
from service.core.models.holding import Holdings
from service.core.models.keeping import Keeper
from service.core.models.watching import Watcher
from service.core.parts import Parts
from service.core.specs import LearnerSpec, QuerySpec, VectorInput
from service.settings import Settings
from service.storage import events, leases, log, samples, watches
from service.storage.streams import Stream
from service.storage.streams import ledger as ledger_of

COUNT = 700


@pytest.fixture
def parts(tmp_path: Path, database_url: str) -> Iterator[Parts]:
    made = build_parts(Settings(data_dir=tmp_path, database_url=database_url))
    yield made
    close_parts(made)


def stream_of(parts: Parts, name: str) -> Stream:
    """Make a stream whose labels are right at first and wrong later."""
    spec = {"input_spec": VectorInput(kind="vector", dim=1), "learner": LearnerSpec(seed=1, hidden=[2])}
    more = {"classes": ["a", "b"], "open_classes": True, "guidelines": "", "colours": {}, "key": None}
    asyncio.run(streams.create(parts, name=name, query=QuerySpec(), **spec, **more))
    stream = parts.db.read_now(lambda c: streams.find(c, name))
    parts.db.write_now(lambda c: _fill(c, stream))
    return parts.db.read_now(lambda c: streams.find(c, name))


def _fill(connection: Connection, stream: Stream) -> None:
    rng = random.Random(0)
    rows = []
    for n in range(COUNT):
        said = {"label": "ab"[n > 400], "confidence": 0.9, "probabilities": {}}
        row = {"stream_id": stream.id, "id": f"s{n}", "features": b"", "prediction": said, "predictive_entropy": 0.1}
        rows.append(row | {"uncertainty": {"novelty": rng.gauss(0, 1)}, "model_version": 200, "asked": True, "at": n})
    numbers = samples.insert(connection, [row | {"propensity": 1.0} for row in rows])
    for n, row in enumerate(rows):
        seq = log.append(connection, stream.id, log.LABEL, n, label="a", features=b"")
        label = {"id": f"{stream.id}-{n}", "stream_id": stream.id, "sample_n": numbers[row["id"]], "seq": seq}
        by = {"source": "truth", "by": "t", "by_id": "t", "at": n}
        log.add_label(connection, label | by | {"label": "a", "correct": n <= 400})


def watcher(parts: Parts, stream: Stream) -> Watcher:
    parts.db.write_now(lambda c: leases.forget_dead(c, 2**63 - 1))  # whoever watched before has died
    holdings = Holdings(parts)
    holdings.begin()
    held = {lease.stream_id: lease for lease in holdings.balance()[0]}
    return Watcher(parts, stream, Keeper(parts, stream, held[stream.id]))


def found(parts: Parts, stream: Stream) -> tuple[Any, list[Any]]:
    row = parts.db.read_now(lambda c: watches.one(c, stream.id))
    told = parts.db.read_now(lambda c: events.after(c, stream.id, 0, 1000))
    alarms = [(event.at, event.data["kind"]) for event in told if event.type == "drift"]
    return row.state, sorted(alarms)


def test_pages_and_failures_in_between_change_nothing(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    smooth, rough = stream_of(parts, "smooth"), stream_of(parts, "rough")
    monkeypatch.setattr(watching, "_PAGE", COUNT)
    whole = watcher(parts, smooth)
    while whole.look():
        pass
    state, alarms = found(parts, smooth)
    assert {kind for _, kind in alarms} == {"error", "class_mix"}
    assert all(at > 400 for at, _ in alarms)
    ledger = parts.db.read_now(lambda c: ledger_of(c, smooth.id))
    assert ledger.exploring_until == ledger.samples + QuerySpec().drift_samples

    monkeypatch.setattr(watching, "_PAGE", 37)
    broken = watcher(parts, rough)
    add, fails = events.add, iter([False, True, False, False, True, True] + [False] * 100)

    def failing(connection: Connection, rows: Any) -> None:
        add(connection, rows)
        if next(fails):
            raise OSError("the disk is full")

    monkeypatch.setattr(watching.events, "add", failing)
    again = True
    while again:
        try:
            again = broken.look()
        except OSError:
            broken = watcher(parts, rough)
    assert found(parts, rough) == (state, alarms)
    assert not broken.look()


def test_a_worker_that_lost_the_stream_stores_nothing(parts: Parts) -> None:
    stream = stream_of(parts, "s")
    late = watcher(parts, stream)
    parts.db.write_now(lambda c: leases.forget_dead(c, 2**63 - 1))
    parts.db.write_now(lambda c: leases.take(c, "another", parts.clock.now(), 10))
    with pytest.raises(StreamLostError):
        late.look()
    assert parts.db.read_now(lambda c: watches.one(c, stream.id)) is None
