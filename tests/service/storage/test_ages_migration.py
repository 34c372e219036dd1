"""A database from before samples were counted by age has the tables of today, and counts as if it always had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.storage import accuracy
from service.storage.tables import labels, samples
from tests.service.core.by_hand import history
from tests.service.storage.test_history_migration import migrated
from tests.service.storage.test_migrations import differences


def test_counts_by_age_come_from_the_samples_and_labels_know_their_versions(database_url: str, tmp_path: Path) -> None:
    with history(tmp_path / "h", database_url) as past:
        for number in range(5):
            past.ask_and_answer((1, number), "a")
            past.label((2, number), "b")
            past.catch_up()
        db, stream_id = past.parts.db, past.stream.id

        def counted() -> tuple[list[Any], ...]:
            looks = (accuracy.population, accuracy.labelled)
            return db.read_now(lambda c: tuple(sorted(look(c, stream_id)) for look in looks))

        before = counted()
        migrated(db, "0013")
        total = sa.select(sa.func.sum(sa.column("samples"))).select_from(sa.table("strata"))
        assert db.read_now(lambda c: c.execute(total).scalar_one()) == sum(row.samples for row in before[0])
        migrated(db, "head")
        assert db.read_now(differences) == []
        assert counted() == before
        assert len({row.age for row in before[0]}) > 2
        versions = sa.select(labels.c.model_version, samples.c.model_version)
        versions = versions.join(samples, samples.c.n == labels.c.sample_n)
        assert all(own == of_sample for own, of_sample in db.read_now(lambda c: c.execute(versions).all()))
        assert past.verified().failures == ()
