"""JSON in and out: strict on the way in, exact on the way out."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from service.core.errors import MalformedError


class Reply(JSONResponse):
    """A JSON body; numbers keep every bit."""

    def render(self, content: Any) -> bytes:
        """Return the body's bytes."""
        return orjson.dumps(content)


class StrictRequest(Request):
    """Reads JSON as RFC 8259 has it: no NaN, no infinities, no lone surrogates, no NUL characters in texts."""

    async def json(self) -> Any:
        """Return the body's value."""
        if not hasattr(self, "_json"):
            body = await self.body()
            self._json = orjson.loads(body)
            if b"\\u0000" in body and _has_nul(self._json):
                raise MalformedError("Texts must not contain the NUL character.")
        return self._json


class StrictRoute(APIRoute):
    """A route whose bodies are read by `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strict


def _has_nul(value: Any) -> bool:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if "\x00" in part:
                return True
        elif isinstance(part, dict):
            waiting.extend(part)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return False
