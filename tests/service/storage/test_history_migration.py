"""A database of the first version keeps its log and its snapshots, and can be verified."""

from __future__ import annotations

from pathlib import Path

import alembic.command
import alembic.config
import sqlalchemy as sa

import migrations
from learner.snapshot import dump, state_hash
from service.core.history.verification import verify
from service.storage import log
from service.storage.session import Database
from service.storage.tables import streams
from tests.service.core.by_hand import History, history
from tests.service.core.conftest import grown

FOLDER = str(Path(migrations.__file__).parent)


def migrated(db: Database, revision: str) -> None:
    with db._writer_engine.begin() as connection:
        config = alembic.config.Config()
        config.set_main_option("script_location", FOLDER)
        config.attributes["connection"] = connection
        move = alembic.command.upgrade if revision == "head" else alembic.command.downgrade
        move(config, revision)


def test_a_log_from_before_the_chain_is_chained_and_its_snapshots_are_kept(database_url: str, tmp_path: Path) -> None:
    with history(tmp_path / "h", database_url, snapshot_every=4, snapshots_kept=2) as past:
        grown(past, 6)
        state = past.trainer._state
        before = hashes(past)
        db = past.parts.db
        migrated(db, "0001")
        row = {"stream_id": past_id(db), "seq": 6, "hash": state_hash(state), "content": dump(state), "at": 1}
        old = sa.table("snapshots", *map(sa.column, row))
        db.write_now(lambda c: c.execute(old.insert().values(row)))
        migrated(db, "head")
        assert hashes(past) == before
        [kept] = past.stored()
        assert (kept.seq, kept.as_of, kept.number, kept.pinned) == (6, 6, 1, False)
        assert verify(db, "s", "cpu").failures == ()
        past.restart()
        past.agrees()
        past.label((1, 1), "a")
        past.agrees()


def hashes(past: History) -> list[str]:
    return [entry.hash for entry in past.parts.db.read_now(lambda c: log.entries(c, past_id(past.parts.db), 0, 100))]


def past_id(db: Database) -> int:
    return int(db.read_now(lambda c: c.execute(sa.select(streams.c.id)).scalar_one()))
