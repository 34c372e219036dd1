"""Streams from before the pull had a floor go on without one; those that have one keep it, there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.storage.tables import streams
from tests.service.core.by_hand import history
from tests.service.storage.test_history_migration import migrated


def stored(connection: sa.Connection) -> dict[str, Any]:
    learner: dict[str, Any] = connection.execute(sa.select(streams.c.learner)).scalar_one()
    return learner


def test_old_streams_have_no_floor_and_new_ones_keep_theirs(database_url: str, tmp_path: Path) -> None:
    with history(tmp_path / "h", database_url) as past:
        past.ask_and_answer((1, 1), "a")
        past.label((1, 2), "b")
        db = past.parts.db
        learner = db.read_now(stored)
        assert learner["pull_floor"] == 1.0
        migrated(db, "0010")
        migrated(db, "head")
        assert db.read_now(stored) == learner
        past.agrees()
        assert past.verified().failures == ()
        old = {name: value for name, value in learner.items() if name != "pull_floor"}
        migrated(db, "0010")
        db.write_now(lambda c: c.execute(streams.update().values(learner=old)))
        migrated(db, "head")
        assert db.read_now(stored) == learner | {"pull_floor": 0.0}
        migrated(db, "0010")
        assert db.read_now(stored) == old
