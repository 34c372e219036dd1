"""Errors as RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from service.api.replies import Reply
from service.api.wording import said
from service.core.errors import (
    EngramError,
    Fault,
    MalformedError,
    NotFoundError,
    NotReadyError,
    TooManyError,
    UnacceptableError,
)
from service.storage.syncs import UncertainError
from service.storage.writers import OverloadedError, passes

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TITLES = {405: "Method not allowed"}

logger = structlog.get_logger()


class ProblemReply(Reply):
    """A problem details body."""

    media_type = "application/problem+json"


def reply(error: EngramError, path: str = "") -> Response:
    """Return an error as a response; to a request of /v2 it says `error` too, where that protocol's clients look."""
    headers = {}
    if error.retry_after is not None or error.status in (429, 503):
        headers["Retry-After"] = str(error.retry_after or 1)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    problem = error.as_problem()
    if path.startswith("/v2/"):
        problem["error"] = error.detail
    return ProblemReply(problem, status_code=error.status, headers=headers)


def unacceptable(errors: Sequence[Any], body: Any = None, whole: str = "the body") -> EngramError:
    """Return what a validation found wrong as one error with JSON pointers; `body` is what it should have been."""
    fields = list(getattr(body, "model_fields", ()))
    return UnacceptableError.of([Fault(_pointer(error["loc"]), said(error, fields)) for error in errors], whole)


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""
    _install_storage(app)

    @app.exception_handler(EngramError)
    async def _own(request: Request, error: EngramError) -> Response:
        return reply(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        taken = getattr(request.scope.get("route"), "body_field", None)
        return reply(unacceptable(error.errors(), taken and taken.field_info.annotation), request.url.path)

    @app.exception_handler(ValidationError)
    async def _rule(request: Request, error: ValidationError) -> Response:
        return reply(unacceptable(error.errors(include_url=False)), request.url.path)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, EngramError):  # raised while the framework read the body
            return reply(error.__cause__, request.url.path)
        allowed = _allowed(request) if error.status_code == 405 else []
        answer = reply(_told(error, request.method, allowed), request.url.path)
        answer.headers.update(error.headers or {})
        if allowed:
            answer.headers["Allow"] = ", ".join(allowed)
        return answer

    @app.exception_handler(Exception)
    async def _other(request: Request, error: Exception) -> Response:
        return _unforeseen(request, error)


def _install_storage(app: FastAPI) -> None:
    """Make what goes wrong below a problem that passes."""

    @app.exception_handler(OverloadedError)
    async def _overloaded(_request: Request, _error: OverloadedError) -> Response:
        return reply(TooManyError(retry_after=1))

    @app.exception_handler(UncertainError)
    async def _uncertain(_request: Request, _error: UncertainError) -> Response:
        detail = "The database or its disk failed meanwhile; send it again, with the same id or Idempotency-Key."
        return reply(NotReadyError(detail, retry_after=1))

    @app.exception_handler(DBAPIError)
    async def _database(request: Request, error: DBAPIError) -> Response:
        if not passes(error):
            return _unforeseen(request, error)
        logger.warning("request.database_away", path=request.url.path, error=str(error.orig).partition("\n")[0])
        return reply(NotReadyError("The database cannot be reached; try again in a moment.", retry_after=1))


def _unforeseen(request: Request, error: Exception) -> Response:
    logger.error("request.failed", path=request.url.path, exc_info=error)
    return reply(EngramError("Something went wrong here; it has been logged."))


def _told(error: HTTPException, method: str, allowed: Sequence[str]) -> EngramError:
    """Return what the framework refused as an error of our own."""
    if error.status_code == 400:
        return MalformedError(str(error.detail))
    if error.status_code == 404:
        return NotFoundError("there is nothing at this path; /docs lists what there is")
    takes = f"this path takes {', '.join(allowed)}, not {method}" if allowed else str(error.detail)
    made = EngramError(takes)
    made.status, made.title = error.status_code, _TITLES.get(error.status_code, str(error.detail))
    return made


def _allowed(request: Request) -> list[str]:
    """Return the methods of a way, of which each may have a route of its own."""
    routes = request.app.router.routes
    of_method = {method: {**request.scope, "method": method} for method in _METHODS}
    found = [name for name, scope in of_method.items() if any(one.matches(scope)[0] is Match.FULL for one in routes)]
    return [*found, "HEAD"] if "GET" in found else found


def _pointer(location: tuple[Any, ...]) -> str:
    parts = location[1:] if location and location[0] == "body" else location
    if parts[:1] == ("input",):  # behind it stands which kind was tried, which is nowhere in the body
        parts = (*parts[:1], *parts[2:])
    if parts[-1:] == ("[key]",):  # the name itself is wrong
        parts = parts[:-1]
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
