"""What every route asks before it does anything: who calls, of what type the body is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from service.api import json_values
from service.api.dependencies import Admission
from service.core.errors import UnacceptableError, WrongTypeError

_WITH_BODY = ("POST", "PUT", "PATCH")


class StrictRequest(Request):
    """Reads JSON, and refuses what in it is no good to anyone, saying where it stands."""

    async def json(self) -> Any:
        """Return the body's value."""
        if not hasattr(self, "_json"):
            found = json_values.read(await self.body())
            self._json = found.value if found.sound else self._checked(found.value)
        return self._json

    def _checked(self, value: Any) -> Any:
        faults = list(json_values.faults_of(value))
        if faults:
            raise UnacceptableError.of(faults)
        return value


class BatchRequest(StrictRequest):
    """Reads samples each of which may be no good without harm to the others: its error stands in its place."""

    def _checked(self, value: Any) -> Any:
        samples = value.get("samples") if isinstance(value, dict) else None
        if isinstance(samples, list):
            value["samples"] = [_or_error(item) for item in samples]
        return super()._checked(value)


class StrictRoute(APIRoute):
    """A route that asks who calls before it looks at the body, and reads the body by `StrictRequest`."""

    request_class: ClassVar[type[StrictRequest]] = StrictRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handle = super().get_route_handler()
        admissions = [asked.call for asked in self.dependant.dependencies if isinstance(asked.call, Admission)]

        async def strict(request: Request) -> Response:
            for admission in admissions:
                await admission(request)
            _must_be_json(request)
            return await handle(self.request_class(request.scope, request.receive))

        return strict


class BatchRoute(StrictRoute):
    """A route that takes samples each of which may be no good without harm to the others."""

    request_class = BatchRequest


def _must_be_json(request: Request) -> None:
    """Pass where the body is of a type that the route reads.

    Raises:
        WrongTypeError: where it is not.
    """
    if request.method not in _WITH_BODY:
        return
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    json = kind == "application/json" or kind.endswith("+json")
    # Binary tensors stand behind the JSON of the Open Inference Protocol, and its clients name no type.
    tensors = request.scope["path"].startswith("/v2/") and kind in ("", "application/octet-stream")
    has_body = request.headers.get("content-length", "0") not in ("", "0") or kind != ""
    if has_body and not (json or tensors):
        raise WrongTypeError
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise WrongTypeError(f"Send the body as it is: Content-Encoding '{encoding}' is not read.")


def _or_error(item: Any) -> Any:
    faults = list(json_values.faults_of(item))
    return UnacceptableError.of(faults, whole="the sample") if faults else item
