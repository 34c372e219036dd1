"""Errors as RFC 9457 problem details."""

from __future__ import annotations

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
from service.core.errors import (
    EngramError,
    Fault,
    MalformedError,
    NotReadyError,
    TooManyError,
    UnacceptableError,
)
from service.storage.syncs import UncertainError
from service.storage.writers import OverloadedError, passes

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TITLES = {404: "Not found", 405: "Method not allowed"}

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


def unacceptable(errors: list[Any]) -> EngramError:
    """Return what a validation found wrong as one error with JSON pointers."""
    return UnacceptableError.of([Fault(_pointer(error["loc"]), _message(error)) for error in errors])


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""
    _install_storage(app)

    @app.exception_handler(EngramError)
    async def _own(request: Request, error: EngramError) -> Response:
        return reply(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        return reply(unacceptable(list(error.errors())))

    @app.exception_handler(ValidationError)
    async def _rule(request: Request, error: ValidationError) -> Response:
        return reply(unacceptable(error.errors(include_url=False)), request.url.path)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, EngramError):  # raised while the framework read the body
            return reply(error.__cause__, request.url.path)
        made = MalformedError(str(error.detail)) if error.status_code == 400 else EngramError(str(error.detail))
        if error.status_code != 400:
            made.status, made.title = error.status_code, _TITLES.get(error.status_code, str(error.detail))
        answer = reply(made, request.url.path)
        answer.headers.update(error.headers or {})
        if error.status_code == 405:
            answer.headers["Allow"] = ", ".join(_allowed(request))
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


def _message(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[0].lower() + message[1:]
