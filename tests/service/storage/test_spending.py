"""Where spending stands is written by one update, which counts only if nobody else has spent in between."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from learner.asking.budget import BURST
from learner.asking.policy import Demand, Policy, Standing, decide
from service.storage import streams as stream_rows
from service.storage.session import Database
from service.storage.streams import Ledger
from service.storage.tables import ledgers
from tests.service.storage.test_history_migration import migrated
from tests.service.storage.test_leases import add_streams, opened

PROCESSES, EACH, BUDGET = 3, 15, 0.1


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    made = opened(database_url)
    yield made
    made.close()


def ledger_of(db: Database, stream_id: int) -> Ledger:
    return db.read_now(lambda c: stream_rows.ledger(c, stream_id))


def test_of_two_that_decided_from_one_ledger_one_has_to_decide_again(db: Database) -> None:
    [stream_id] = add_streams(db, 1)
    turn, standing = ledger_of(db, stream_id).turn, Standing(seen=1, spent=1).to_json()

    def spend() -> bool:
        return db.write_now(lambda c: stream_rows.spend(c, stream_id, turn=turn, standing=standing, asked=1))

    assert (spend(), spend()) == (True, False)
    after = ledger_of(db, stream_id)
    assert (after.asked, after.turn, after.standing) == (1, turn + 1, standing)


def take(db: Database, stream_id: int) -> int:
    """Take one sample that is worth asking, as a process of its own does; return how often it was decided."""
    policy, tries = Policy(budget=BUDGET, warmup_labels=0), 0
    while True:
        tries += 1
        found = ledger_of(db, stream_id)
        standing = Standing() if found.standing is None else Standing.from_json(found.standing)
        decision, after = decide(policy, standing, 1.0, coin=0.0, now=0, demand=Demand(labels=1))
        counts = {"samples": 1, "asked": int(decision.ask)}
        spent = db.write_now(
            lambda c, found=found, after=after, counts=counts: stream_rows.spend(
                c, stream_id, turn=found.turn, standing=after.to_json(), **counts
            )
        )
        if spent:
            return tries


def test_processes_that_share_a_ledger_spend_as_one_would(db: Database, database_url: str) -> None:
    [stream_id] = add_streams(db, 1)
    others = [Database(database_url) for _ in range(PROCESSES)] if not db.embedded else [db] * PROCESSES
    try:
        with ThreadPoolExecutor(PROCESSES) as pool:
            list(pool.map(lambda own: [take(own, stream_id) for _ in range(EACH)], others))
    finally:
        for own in {*others} - {db}:
            own.close()
    alone, asked = Standing(), 0
    for _ in range(PROCESSES * EACH):
        decision, alone = decide(
            Policy(budget=BUDGET, warmup_labels=0), alone, 1.0, coin=0.0, now=0, demand=Demand(labels=1)
        )
        asked += decision.ask
    after = ledger_of(db, stream_id)
    assert after.standing == alone.to_json()
    assert (after.samples, after.asked) == (PROCESSES * EACH, asked)
    assert asked <= BUDGET * PROCESSES * EACH + BURST


def test_what_was_spent_before_there_were_buckets_is_kept_both_ways(db: Database) -> None:
    [stream_id] = add_streams(db, 1)
    migrated(db, "0003")
    old = sa.table("ledgers", *map(sa.column, ("seen", "spent", "threshold", "asked")))
    db.write_now(lambda c: c.execute(old.update().values(seen=100, spent=5, threshold=0.25, asked=25)))
    migrated(db, "head")
    standing = ledger_of(db, stream_id).standing
    assert standing is not None
    assert Standing.from_json(standing) == Standing(seen=100, spent=5, free=20, threshold=0.25)
    migrated(db, "0003")
    kept = db.read_now(lambda c: c.execute(sa.select(old.c.seen, old.c.spent, old.c.threshold)).one())
    assert tuple(kept) == (100, 5, 0.25)
    migrated(db, "head")
    assert db.read_now(lambda c: c.execute(sa.select(sa.func.count()).select_from(ledgers)).scalar_one()) == 1
