"""Queries change their unique key in place: what points to them stays, there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import answers, labels, late_answers, queries, skips
from tests.service.core.by_hand import history
from tests.service.storage.test_history_migration import migrated


def kept(connection: Connection) -> list[Any]:
    columns = (
        (labels.c.id, labels.c.query_id),
        (skips.c.query_id, skips.c.reason),
        (late_answers.c.n, late_answers.c.query_id, late_answers.c.label),
        (queries.c.id, queries.c.sample_n, queries.c.state),
    )
    return [sorted(map(tuple, connection.execute(sa.select(*some)))) for some in columns]


@pytest.mark.parametrize("revision", ["0008", "0005", "0004", "0003"])
def test_labels_skips_and_late_answers_keep_their_queries(database_url: str, tmp_path: Path, revision: str) -> None:
    with history(tmp_path / "h", database_url) as past:
        for n in range(3):
            past.ask_and_answer((n, 1), "a")
        db = past.parts.db
        query = db.read_now(lambda c: c.execute(sa.select(queries.c.id)).scalars().first())
        said = {"query_id": query, "by": "ada", "at": 1}
        db.write_now(lambda c: c.execute(skips.insert().values(reason="unclear", **said)))
        db.write_now(lambda c: c.execute(late_answers.insert().values(label="b", **said)))
        before = db.read_now(kept)
        assert [len(rows) for rows in before] == [3, 1, 1, 3]
        migrated(db, revision)
        assert db.read_now(kept) == before
        migrated(db, "head")
        assert db.read_now(kept) == before
        made_of = db.read_now(lambda c: c.execute(sa.select(answers.c.label_id, answers.c.label)).all())
        assert sorted(made_of) == [(label_id, "a") for label_id, _ in before[0]]
        past.agrees()
