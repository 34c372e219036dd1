"""Streams of pictures and texts from before the new codes keep theirs; new ones keep the new, there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.core.specs import AnyInputSpec, ImageInput, TextInput, VectorInput
from service.storage.tables import streams
from tests.service.core.by_hand import history
from tests.service.storage.test_history_migration import migrated


def stored(connection: sa.Connection) -> dict[str, Any]:
    described: dict[str, Any] = connection.execute(sa.select(streams.c.input)).scalar_one()
    return described


@pytest.mark.parametrize(
    ("described", "added"),
    [
        (ImageInput(kind="image", width=2, height=1), {"threshold": "middle"}),
        (TextInput(kind="text"), {"separate": False}),
        (VectorInput(kind="vector", dim=2), {}),
    ],
    ids=["image", "text", "vector"],
)
def test_old_streams_keep_their_code_and_new_ones_theirs(
    database_url: str, tmp_path: Path, described: AnyInputSpec, added: dict[str, Any]
) -> None:
    new = described.model_dump()
    old = {name: value for name, value in new.items() if name not in added}
    with history(tmp_path / "h", database_url) as past:
        db = past.parts.db
        db.write_now(lambda c: c.execute(streams.update().values(input=new)))
        migrated(db, "0011")
        migrated(db, "head")
        assert db.read_now(stored) == new
        migrated(db, "0011")
        db.write_now(lambda c: c.execute(streams.update().values(input=old)))
        migrated(db, "head")
        assert db.read_now(stored) == old | added
        migrated(db, "0011")
        assert db.read_now(stored) == old
