"""What is over its time goes; predictions, labels and the state stay, and what can no longer be done is refused."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from learner.snapshot import state_hash
from service.core.errors import BeyondHorizonError, ConflictError, UnacceptableError
from service.core.history import lookback as looking
from service.core.labels import labeling, leasing
from service.core.samples import ingestion
from service.core.samples.ingestion import SampleIn
from service.core.streams import change
from service.storage import streams as stream_rows
from service.storage.tables import log, samples, snapshots
from tests.service.core.by_hand import History, run
from tests.service.core.conftest import grown

DAY = 86_400


def keep(past: History, **rule: Any) -> None:
    run(change(past.parts, past.name, query=None, retention=rule, add_classes=[]))
    past.entries.append(("class", 0, "a", None))  # a policy's entry changes nothing, as a known class does


def age(past: History, days: float) -> None:
    past.parts.clock.pass_seconds(days * DAY)  # type: ignore[attr-defined]


def count(past: History, condition: Any) -> int:
    chosen = sa.select(sa.func.count()).where(condition)
    return int(past.parts.db.read_now(lambda c: c.execute(chosen).scalar_one()))


def test_payloads_go_after_their_life_time_and_all_that_was_learned_stays(past: History) -> None:
    ids = grown(past, 10)
    run(ingestion.ingest_one(past.parts, "s", SampleIn("open", [1, 2], {"note": "x"}, None), past.who, None))
    keep(past, payload_days=30)
    age(past, 29)
    past.label((1, 1), "a")
    past.catch_up()
    assert count(past, samples.c.purged_at.is_not(None)) == 0
    age(past, 2)
    before = past.catch_up()
    assert count(past, samples.c.purged_at.is_not(None)) == 11
    assert count(past, samples.c.purged_at.is_not(None) & samples.c.data.is_not(None)) == 0
    assert count(past, samples.c.features != b"") == 1
    assert count(past, samples.c.prediction.is_not(None)) == 12
    ledger = past.parts.db.read_now(lambda c: stream_rows.ledger(c, past.stream.id))
    assert (ledger.open, ledger.labels) == (0, 11)  # the question that nobody can see any more is withdrawn
    past.restart()
    assert state_hash(past.catch_up()) == state_hash(before)
    past.retract(ids[4])
    past.correct(ids[5], "a")
    past.agrees()
    assert past.verified().failures == ()


def test_a_purged_sample_says_so_and_takes_no_late_label(past: History) -> None:
    run(ingestion.ingest_one(past.parts, "s", SampleIn("old", [1, 2], None, None), past.who, None))
    run(ingestion.ingest_one(past.parts, "s", SampleIn("told", [1, 2], None, "a"), past.who, None))
    keep(past, payload_days=1)
    age(past, 2)
    past.catch_up()
    found = looking.sample(past.parts, "s", "old")
    assert found["data"] is None
    assert found["purged"] is True
    assert found["prediction"] is not None
    with pytest.raises(UnacceptableError, match="purged"):
        looking.sample(past.parts, "s", "old", "now")
    assert looking.sample(past.parts, "s", "told", "now")["now"]["prediction"]  # the log still has its features
    with pytest.raises(ConflictError, match="purged"):
        run(labeling.learn_late(past.parts, past.who, "s", "old", "a", None))


def test_a_label_taken_back_after_its_payload_is_gone_is_not_asked_again(past: History) -> None:
    label = past.ask_and_answer((1, 2), "a")
    keep(past, payload_days=1)
    age(past, 2)
    past.catch_up()
    assert past.retract(label)["query"] is None

    async def never() -> bool:
        return False

    assert run(leasing.lease(past.parts, past.who, "s", 5, 0, never)) == []


def test_behind_the_horizon_features_go_and_a_snapshot_is_the_beginning(past: History) -> None:
    ids = grown(past, 40)
    past.retract(ids[2])
    past.catch_up()
    past.trainer.snapshot()
    keep(past, replay_entries=5)
    for n in range(12):
        past.label((n % 3, 1), "b")
        past.catch_up()
    age(past, 1)
    past.catch_up()
    horizon = past.stream.horizon_seq
    assert 41 <= horizon <= 54 - 5
    assert count(past, log.c.features.is_not(None) & (log.c.seq <= horizon)) == 0
    assert min(row.seq for row in past.stored()) == horizon
    past.restart()
    past.agrees()
    assert past.verified().failures == ()
    assert past.verified().horizon == horizon
    rows = past.rows()
    newer, older = (next(r for r in rows if r.seq > horizon), next(r for r in rows if r.seq <= horizon))
    past.correct(newer.id, "a")
    past.agrees()
    with pytest.raises(ConflictError, match=f"{horizon}"):
        past.retract(older.id)
    with pytest.raises(ConflictError, match="corrected"):
        past.correct(older.id, "zzz")
    with pytest.raises(BeyondHorizonError):
        past.roll_back(horizon - 1)
    with pytest.raises(UnacceptableError, match="gone"):
        past.parts.past.scorer(past.stream, horizon - 1)
    assert past.parts.past.scorer(past.stream, horizon).seq == horizon
    past.roll_back(horizon)
    past.agrees()


def test_the_horizon_by_age_moves_with_time(past: History) -> None:
    grown(past, 20)
    keep(past, replay_days=10)
    past.catch_up()
    assert past.stream.horizon_seq == 0
    age(past, 11)
    past.label((1, 1), "a")
    past.catch_up()
    past.catch_up()
    assert 4 <= past.stream.horizon_seq <= 21
    past.agrees()


def test_a_damaged_snapshot_never_becomes_the_beginning(past: History) -> None:
    grown(past, 8)
    past.parts.db.write_now(lambda c: c.execute(snapshots.update().values(content=b"no")))
    keep(past, replay_entries=1)
    past.catch_up()
    age(past, 1)
    past.catch_up()
    stored = {row.seq for row in past.stored() if row.pinned}
    assert stored <= {past.stream.horizon_seq} - {4, 8}
    past.restart()
    past.agrees()
