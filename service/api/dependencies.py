"""What routes ask for: the parts, who is calling, and the Idempotency-Key."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.core import access
from service.core.access import Principal, Role
from service.core.errors import NotReadyError, UnacceptableError
from service.core.idempotency import RequestKey
from service.core.parts import Parts

COOKIE = "engram_session"


async def parts_of(request: Request) -> Parts:
    """Return what the application was put together from; without `async` every request would go through a thread."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(parts_of)]


_BEARER = HTTPBearer(auto_error=False, description="A token of 'engram token create'.")


async def principal(
    request: Request, parts: PartsOf, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Principal:
    """Return who is calling, by bearer token or by the labeling UI's cookie, once the models are restored."""
    if not parts.ready.is_set():
        raise NotReadyError(retry_after=1)
    token = request.cookies.get(COOKIE) if bearer is None else bearer.credentials
    return await parts.db.glance(lambda c: access.identify(c, token))


Caller = Annotated[Principal, Depends(principal)]


def role(*roles: Role) -> Any:
    """Return a dependency that admits these roles, and admins."""

    async def admitted(caller: Caller) -> Principal:
        caller.must_be(*roles)
        return caller

    return Depends(admitted)


Operator = Annotated[Principal, role(Role.OPERATOR)]
Producer = Annotated[Principal, role(Role.PRODUCER)]
Annotator = Annotated[Principal, role(Role.ANNOTATOR)]
Reader = Annotated[Principal, role(*Role)]
Reviewer = Annotated[Principal, role(Role.OPERATOR, Role.VIEWER)]


async def request_key(
    request: Request,
    caller: Caller,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> RequestKey | None:
    """Return the request's Idempotency-Key."""
    if idempotency_key is None:
        return None
    return RequestKey.of(caller.id, idempotency_key, request.method, request.url.path, await request.body())


Key = Annotated[RequestKey | None, Depends(request_key)]

Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(max_length=500)]


def cursor_of(value: str | int | None) -> str | None:
    """Return the opaque cursor of a page that begins after `value`."""
    return None if value is None else base64.urlsafe_b64encode(str(value).encode()).decode()


def after_cursor(cursor: str | None) -> str:
    """Return what `cursor_of` hid, the empty text without a cursor.

    Raises:
        UnacceptableError: where the cursor is not one that a page gave.
    """
    try:
        after = "" if cursor is None else base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        after = "\x00"
    if not after.isprintable():
        raise UnacceptableError("cursor must be the next_cursor of an earlier page")
    return after


def counted(text: str) -> int | None:
    """Return the number that a database key may be, or None where the text is no such number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
