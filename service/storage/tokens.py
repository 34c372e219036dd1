"""Access tokens, by their hash, and the answers remembered for Idempotency-Keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import AnyRow, idempotency, tokens


def insert(connection: Connection, **values: Any) -> None:
    """Add a token."""
    connection.execute(tokens.insert().values(**values, revoked_at=None))


BY_HASH = sa.select(tokens.c.id, tokens.c.name, tokens.c.role).where(
    tokens.c.hash == sa.bindparam("token_hash"), tokens.c.revoked_at.is_(None)
)
"""Id, name and role of the token of that hash that is not revoked."""


def every(connection: Connection) -> Sequence[AnyRow]:
    """Return all tokens, oldest first."""
    return connection.execute(sa.select(tokens).order_by(tokens.c.created_at, tokens.c.id)).all()


def revoke(connection: Connection, token: str, now: int) -> int:
    """Revoke tokens by id or name; return how many."""
    chosen = tokens.update().where((tokens.c.id == token) | (tokens.c.name == token), tokens.c.revoked_at.is_(None))
    return int(connection.execute(chosen.values(revoked_at=now)).rowcount)


def remembered(connection: Connection, scope: str, key: str) -> AnyRow | None:
    """Return the answer given under an Idempotency-Key; a second request with the key waits for the first."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"{scope} {key}", 0))))
    return connection.execute(
        sa.select(idempotency).where(idempotency.c.scope == scope, idempotency.c.key == key)
    ).one_or_none()


def remember(connection: Connection, **values: Any) -> None:
    """Keep an answer under its Idempotency-Key."""
    connection.execute(idempotency.insert().values(**values))


def forget_before(connection: Connection, moment: int) -> None:
    """Drop answers older than `moment`."""
    connection.execute(idempotency.delete().where(idempotency.c.at < moment))
