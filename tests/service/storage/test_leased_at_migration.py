"""Whoever holds a query while its table learns when leases were granted goes on holding it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from service.core.labels import leasing
from service.storage.tables import AnyRow, gold, gold_queries, queries
from tests.service.core.by_hand import History, history, never, run
from tests.service.storage.test_history_migration import migrated


def leases(past: History) -> list[AnyRow]:
    chosen = [
        sa.select(table.c.id, table.c.state, table.c.lease_until, table.c.leased_at).order_by(table.c.id)
        for table in (queries, gold_queries)
    ]
    return past.parts.db.read_now(lambda c: [row for some in chosen for row in c.execute(some)])


def show_gold(past: History) -> None:
    """Mark a sample, and lease it."""
    common = {"stream_id": past.stream.id, "by": "ada"}
    marked = {"id": "g", "sample_id": "s", "label": "a", "at": 1}
    asked = {"id": "q", "gold_id": "g", "by_id": "t", "state": "open", "reason": "exploration", "opened_at": 1}
    until = past.clock.now() + 30_000_000
    past.parts.db.write_now(lambda c: c.execute(gold.insert().values(**common, **marked)))
    held = {"lease_token": "x", "lease_until": until}
    past.parts.db.write_now(lambda c: c.execute(gold_queries.insert().values(**common, **asked, **held)))


def test_what_is_held_counts_as_granted_when_it_would_have_ended(database_url: str, tmp_path: Path) -> None:
    with history(tmp_path / "h", database_url) as past:
        past.ask_and_answer((1, 1), "a")
        past.post((1, 2))
        past.post((2, 1))
        [held] = run(leasing.lease(past.parts, past.who, past.name, 1, 0, never))
        show_gold(past)
        before = leases(past)
        migrated(past.parts.db, "0008")
        migrated(past.parts.db, "head")
        after = leases(past)
        assert [row[:3] for row in after] == [row[:3] for row in before]
        assert sorted(row.lease_until > 0 for row in after) == [False, False, True, True]
        assert all(row.leased_at == row.lease_until for row in after)
        run(leasing.heartbeat(past.parts, held["id"], held["lease"]["token"]))
        run(leasing.heartbeat(past.parts, "q", "x"))
