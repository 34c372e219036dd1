"""A database from when labels had a weight has the tables of today, and gets the weights back where it goes back."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from service.storage.tables import labels
from tests.service.core.by_hand import history
from tests.service.storage.test_history_migration import migrated
from tests.service.storage.test_migrations import differences


def test_weights_go_and_come_back_from_propensities(database_url: str, tmp_path: Path) -> None:
    with history(tmp_path / "h", database_url) as past:
        past.ask_and_answer((1, 1), "a")
        past.label((1, 2), "b")
        db, answered = past.parts.db, past.rows()[0].id
        past.catch_up()
        db.write_now(lambda c: c.execute(labels.update().where(labels.c.id == answered).values(propensity=0.25)))
        migrated(db, "0008")
        weights = sa.select(sa.column("weight")).select_from(sa.table("labels")).order_by(sa.column("weight"))
        assert db.read_now(lambda c: c.execute(weights).scalars().all()) == [1.0, 4.0]
        migrated(db, "head")
        assert db.read_now(differences) == []
        assert past.verified().failures == ()
        past.label((2, 1), "a")
        past.agrees()
