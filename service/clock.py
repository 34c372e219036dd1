"""The one place where wall-clock time enters. Times are microseconds since 1970 UTC, so that they sort and divide."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

SECOND = 1_000_000
"""Microseconds in a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time; tests hold one that stands still."""

    def now(self) -> int:
        """Return microseconds since 1970 UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Return microseconds since 1970 UTC."""
        return time.time_ns() // 1000


def iso(at: int) -> str:
    """Return `at` as ISO 8601 in UTC."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def micros(moment: datetime) -> int:
    """Return an aware time as microseconds since 1970; a naive one is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)
