"""What can go wrong for a caller. Each error knows its HTTP status; its docstring is its default message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a body: where (a JSON pointer) and why."""

    pointer: str
    detail: str


class EngramError(Exception):
    """Something went wrong."""

    status = 500
    title = "Internal error"

    def __init__(
        self,
        detail: str | None = None,
        *,
        faults: Sequence[Fault] = (),
        retry_after: int | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.faults = tuple(faults)
        self.retry_after = retry_after
        self.more = dict(more or {})
        super().__init__(self.detail)

    def as_problem(self, *, inside: str = "") -> dict[str, Any]:
        """Return the error as RFC 9457 has it; `inside` is where in a larger body the faulty part stands."""
        slug = re.sub(r"[^a-z]+", "-", self.title.lower())
        found: dict[str, Any] = {
            "type": f"urn:engram:problem:{slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        if self.faults:
            found["errors"] = [{"pointer": inside + fault.pointer, "detail": fault.detail} for fault in self.faults]
        return found


class ServingError(EngramError):
    """The service cannot run here."""

    title = "Cannot serve"


class MalformedError(EngramError):
    """The body is not well-formed JSON."""

    status = 400
    title = "Malformed request"


class UnauthorizedError(EngramError):
    """Send a valid token as 'Authorization: Bearer TOKEN', or sign in."""

    status = 401
    title = "Not signed in"


class ForbiddenError(EngramError):
    """This token's role may not do that."""

    status = 403
    title = "Not allowed"


class NotFoundError(EngramError):
    """There is no such thing."""

    status = 404
    title = "Not found"


class ConflictError(EngramError):
    """This is in conflict with what is there."""

    status = 409
    title = "Conflict"


class LeaseLostError(EngramError):
    """The lease has expired or was lost; lease the query again."""

    status = 410
    title = "Lease lost"


class TooLargeError(EngramError):
    """The body is too large."""

    status = 413
    title = "Too large"


class WrongTypeError(EngramError):
    """Send JSON with 'Content-Type: application/json'."""

    status = 415
    title = "Unsupported media type"


class UnacceptableError(EngramError):
    """The request is well-formed but not acceptable."""

    status = 422
    title = "Not acceptable"

    @classmethod
    def of(cls, faults: Sequence[Fault], whole: str = "the body") -> Self:
        """Return the error of what is wrong with the `whole` that was sent; it tells the first few."""
        return cls("; ".join(f"{fault.pointer or whole}: {fault.detail}" for fault in faults[:3]), faults=faults)

    @classmethod
    def at(cls, pointer: str, detail: str) -> Self:
        """Return the error of one thing that is wrong, with its place."""
        return cls(detail, faults=[Fault(pointer, detail)])


class BeyondHorizonError(UnacceptableError):
    """That lies behind the replay horizon."""

    title = "Beyond the horizon"


class BrokenLogError(EngramError):
    """The log is not whole."""

    title = "Broken log"


class TooManyError(EngramError):
    """Too many requests are waiting; try again in a moment."""

    status = 429
    title = "Too many requests"


class NotReadyError(EngramError):
    """The service is starting; try again in a moment."""

    status = 503
    title = "Not ready"


class StreamLostError(EngramError):
    """Another worker has taken this stream."""
