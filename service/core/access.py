"""Who may do what: bearer tokens with roles. Only a token's hash is stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from service.clock import Clock
from service.core.errors import ForbiddenError, NotFoundError, UnauthorizedError
from service.core.identity import new_id
from service.storage import tokens
from service.storage.session import Database

_PREFIX = "engram_"


class Role(StrEnum):
    """What a token is for."""

    ADMIN = "admin"
    OPERATOR = "operator"
    PRODUCER = "producer"
    ANNOTATOR = "annotator"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever a request comes from."""

    id: str
    name: str
    role: Role

    def must_be(self, *roles: Role) -> None:
        """Raise `ForbiddenError` unless the role is one of `roles` or admin."""
        if self.role is not Role.ADMIN and self.role not in roles:
            wanted = ", ".join([*roles, Role.ADMIN])
            raise ForbiddenError(f"this needs the role {wanted}; the token '{self.name}' is {self.role}")


def create(connection: Connection, clock: Clock, role: Role, name: str | None = None) -> tuple[Principal, str]:
    """Make a token; its text is shown this once."""
    text = _PREFIX + secrets.token_urlsafe(32)
    token_id = new_id("t", clock)
    principal = Principal(token_id, name or f"{role}-{token_id[-6:]}", role)
    tokens.insert(
        connection,
        id=token_id,
        name=principal.name,
        role=str(role),
        hash=_hash(text),
        created_at=clock.now(),
    )
    return principal, text


async def identify(db: Database, text: str | None) -> Principal:
    """Return who holds the token.

    Raises:
        UnauthorizedError: where there is none, or it is unknown or revoked.
    """
    found = None if not text else await db.glance(tokens.BY_HASH, token_hash=_hash(text))
    if found is None:
        raise UnauthorizedError
    token_id, name, role = found
    return Principal(token_id, name, Role(role))


def revoke(connection: Connection, clock: Clock, token: str) -> int:
    """Revoke tokens by id or name; return how many.

    Raises:
        NotFoundError: where no standing token has that id or name.
    """
    count = tokens.revoke(connection, token, clock.now())
    if count == 0:
        raise NotFoundError(f"no standing token has the id or name '{token}'")
    return count


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
