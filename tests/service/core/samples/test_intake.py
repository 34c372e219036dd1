"""What is decided is kept with its sample, and nothing is written against a ledger that has moved on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sqlalchemy as sa

from learner import Prediction
from service.core.samples.intake import Intake, SampleIn, Scored
from service.storage import streams as stream_rows
from service.storage.tables import queries, samples
from tests.conftest import Running
from tests.service.core.by_hand import History

SAID = Prediction("a", 0.5, {"a": 0.5, "b": 0.5}, 1.0, 0.5, 0.5, 0.5)


def test_nothing_is_written_against_a_ledger_that_has_moved_on(past: History) -> None:
    ledger = past.parts.db.read_now(lambda c: stream_rows.ledger(c, past.stream.id))
    for known, written in ((replace(ledger, turn=ledger.turn + 1), False), (ledger, True)):
        intake = Intake(past.parts, past.stream, known, past.who, list)
        intake.take(Scored(SampleIn("x", [1, 2], None, None), np.zeros(2, dtype=np.float32), SAID, 0, bytes))
        assert past.parts.db.write_now(intake.write) is written
        count = past.parts.db.read_now(lambda c: c.execute(sa.select(sa.func.count(samples.c.n))).scalar_one())
        assert count == int(written)


def test_what_a_sample_was_decided_by_is_kept_with_it(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"], query={"warmup_labels": 2, "budget": 0.3, "exploration": 0.5})
    answers = [service_on.post([n % 5, -n % 3]) for n in range(30)]
    rows = service_on.parts.db.read_now(lambda c: c.execute(sa.select(samples).order_by(samples.c.n)).all())
    opened = service_on.parts.db.read_now(lambda c: c.execute(sa.select(queries)).all())
    assert [row.threshold is None for row in rows] == [True] * 2 + [False] * 28
    for row, answer in zip(rows, answers, strict=True):
        assert 0.0 <= row.utility <= 1.0
        assert row.model_version == answer["model_version"]
        assert row.asked == (answer["query"] is not None)
        if answer["query"] is not None:
            assert row.propensity == answer["query"]["propensity"]
    assert {query.sample_n: query.utility for query in opened} == {row.n: row.utility for row in rows if row.asked}
