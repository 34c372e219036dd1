"""Streams of pictures and texts from before keep the codes that they had: their logs give the states that they gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STREAMS = sa.table("streams", sa.column("id", sa.Integer), sa.column("input", sa.JSON))
_BEFORE: dict[str, tuple[str, Any]] = {"image": ("threshold", "middle"), "text": ("separate", False)}
"""By kind of input, the setting that is new, and its value that does what was done before."""


def upgrade() -> None:
    """Apply."""
    _change(lambda described, setting: dict([setting]) | described)


def downgrade() -> None:
    """Take back; a stream with a new code keeps it, and a version that knows none refuses it rather than go astray."""
    _change(lambda described, setting: {name: value for name, value in described.items() if (name, value) != setting})


def _change(changed: Callable[[dict[str, Any], tuple[str, Any]], dict[str, Any]]) -> None:
    connection = op.get_bind()
    for number, described in connection.execute(sa.select(_STREAMS.c.id, _STREAMS.c.input)).all():
        if (setting := _BEFORE.get(described.get("kind"))) is not None:
            found = changed(described, setting)
            connection.execute(sa.update(_STREAMS).where(_STREAMS.c.id == number).values(input=found))
