"""Before any route: body size, and the time each request takes."""

from __future__ import annotations

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import reply
from service.core.errors import EngramError, NotFoundError, TooLargeError
from service.core.metrics import Metrics


class Guard:
    """Refuses what is too large before it is read, and measures the rest."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, metrics: Metrics) -> None:
        self._app = app
        self._most = max_body_bytes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._checked(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(scope["method"], route, status).observe(perf_counter() - started)

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refuse(scope)
        if refused is not None:
            await reply(refused)(scope, receive, send)
            return
        read, sent = 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise _too_large(self._most)
            return message

        async def noted(message: Message) -> None:
            nonlocal sent
            sent = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except TooLargeError as error:
            if sent:
                raise
            await reply(error)(scope, receive, send)

    def _refuse(self, scope: Scope) -> EngramError | None:
        if "\x00" in scope["path"]:  # no name holds one, and PostgreSQL takes none in a text
            return NotFoundError()
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._most:
            return _too_large(self._most)
        return None


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"the body must be at most {most} bytes")
