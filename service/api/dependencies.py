"""What routes ask for: the parts, who is calling, and the Idempotency-Key."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from fastapi.security.utils import get_authorization_scheme_param

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


async def caller_of(request: Request) -> Principal:
    """Return who is calling, by bearer token or by the labeling UI's cookie, once the models are restored.

    It is looked up once for a request.
    """
    known: Principal | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    parts = await parts_of(request)
    if not parts.ready.is_set():
        raise NotReadyError(retry_after=1)
    scheme, given = get_authorization_scheme_param(request.headers.get("Authorization"))
    token = given if given and scheme.lower() == "bearer" else request.cookies.get(COOKIE)
    caller = await access.identify(parts.db, token)
    request.state.caller = caller
    return caller


class Admission(SecurityBase):
    """A dependency that admits some roles, and admins.

    One for all that there is to ask of a caller: each dependency of a dependency is resolved for every request, also
    where another has asked for the same.
    """

    def __init__(self, *roles: Role) -> None:
        self.model = HTTPBearerModel(description="A token of 'engram token create'.")
        self.scheme_name = "HTTPBearer"
        self._roles = roles

    async def __call__(self, request: Request) -> Principal:
        """Return who is calling.

        Raises:
            UnauthorizedError: where nobody is known by the token.
            ForbiddenError: where the role is not admitted.
        """
        caller = await caller_of(request)
        caller.must_be(*self._roles)
        return caller


def role(*roles: Role) -> Any:
    """Return a dependency that admits these roles, and admins."""
    return Depends(Admission(*roles))


Operator = Annotated[Principal, role(Role.OPERATOR)]
Producer = Annotated[Principal, role(Role.PRODUCER)]
Annotator = Annotated[Principal, role(Role.ANNOTATOR)]
Reader = Annotated[Principal, role(*Role)]
Reviewer = Annotated[Principal, role(Role.OPERATOR, Role.VIEWER)]


async def request_key(
    request: Request, idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None
) -> RequestKey | None:
    """Return the request's Idempotency-Key."""
    if idempotency_key is None:
        return None
    caller = await caller_of(request)
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
        raise _no_cursor()
    return after


def numbers_of(cursor: str | None, count: int) -> tuple[int, ...] | None:
    """Return the numbers that `cursor_of` hid, joined by '-', or None without a cursor.

    Raises:
        UnacceptableError: where the cursor is not one that a page gave.
    """
    if cursor is None:
        return None
    found = tuple(number for part in after_cursor(cursor).split("-") if (number := counted(part)) is not None)
    if len(found) != count:
        raise _no_cursor()
    return found


def _no_cursor() -> UnacceptableError:
    return UnacceptableError.at("/query/cursor", "cursor must be the next_cursor of an earlier page of this list")


def counted(text: str) -> int | None:
    """Return the number that a database key may be, or None where the text is no such number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
