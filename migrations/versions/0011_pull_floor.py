"""Streams from before the pull to the prior had a floor go on without one: their logs give the states that they gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STREAMS = sa.table("streams", sa.column("id", sa.Integer), sa.column("learner", sa.JSON))


def upgrade() -> None:
    """Apply."""
    _change(lambda learner: {"pull_floor": 0.0} | learner)


def downgrade() -> None:
    """Take back; a stream that has a floor keeps it, and a version that knows none refuses it rather than go astray."""
    _change(lambda learner: {name: value for name, value in learner.items() if (name, value) != ("pull_floor", 0.0)})


def _change(changed: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    connection = op.get_bind()
    for number, learner in connection.execute(sa.select(_STREAMS.c.id, _STREAMS.c.learner)).all():
        connection.execute(sa.update(_STREAMS).where(_STREAMS.c.id == number).values(learner=changed(learner)))
