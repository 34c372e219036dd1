"""JSON in and out: strict on the way in, exact on the way out."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from service.core.errors import MalformedError

_PLAIN = frozenset((int, float, str, bool, type(None)))


class Reply(JSONResponse):
    """A JSON body; numbers keep every bit."""

    def render(self, content: Any) -> bytes:
        """Return the body's bytes."""
        return orjson.dumps(content)


class StrictRequest(Request):
    """Reads JSON as RFC 8259 has it: no NaN, no infinities, no lone surrogates; no NUL in texts, no field twice."""

    async def json(self) -> Any:
        """Return the body's value."""
        if not hasattr(self, "_json"):
            self._json = value_of(await self.body())
        return self._json


def value_of(body: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        json.JSONDecodeError: where it is not well-formed.
        MalformedError: where it holds what is no good to anyone.
    """
    value = orjson.loads(body)
    if b"\\u0000" in body and _has_nul(value):
        raise MalformedError("Texts must not contain the NUL character.")
    # Each field has its colon: where there are no more colons than fields, none was dropped.
    if body.count(b":") != _fields(value):
        json.loads(body, object_pairs_hook=_once)
    return value


class StrictRoute(APIRoute):
    """A route whose bodies are read by `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strict


def _fields(value: Any) -> int:
    """Return how many fields all objects have together."""
    count, waiting = 0, [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            count += len(part)
            waiting.extend(part.values())
        elif isinstance(part, list) and not _PLAIN.issuperset(map(type, part)):
            waiting.extend(part)
    return count


def _once(fields: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in fields]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedError(f"The field '{twice}' stands twice in one object.")


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
