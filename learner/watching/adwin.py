"""A window over a sequence of numbers that drops its older part once the newer one has another mean (ADWIN)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

_PER_ROW = 5
"""Buckets of one size, before the two oldest become one of twice the size."""

_CLOCK = 32
"""Values between two looks for a change."""

_LEAST = 5
"""The fewest values on either side of a cut."""


class Change(NamedTuple):
    """The mean was another before and after a cut, of so many values each."""

    before: float
    after: float
    values_before: int
    values_after: int


class Adwin:
    """Keeps as many of the newest values as have one mean.

    With n0 values before a cut and n1 after it, v the variance of all n, and delta' = delta / ln n::

        m = 1/n0 + 1/n1
        eps = sqrt(2 m v ln(2/delta')) + 2/3 m ln(2/delta')      cut where |mean0 - mean1| > eps

    Values lie in buckets of 1, 2, 4, … with five of each size, so memory and the cuts looked at grow with log n.

    Args:
        delta: how often a sequence of one mean may be cut at a look, roughly; in (0, 1).

    Raises:
        ValueError: where `delta` is not in (0, 1).

    Source:
        Bifet and Gavalda, *Learning from time-changing data with adaptive windowing*, 2007.

    Example:
        >>> window = Adwin()
        >>> found = [window.update(float(n >= 500)) for n in range(1000)]
        >>> changes = [(n, change.after > change.before) for n, change in enumerate(found) if change]
        >>> changes[0]
        (511, True)
    """

    def __init__(self, delta: float = 0.002) -> None:
        if not 0.0 < delta < 1.0:
            raise ValueError(f"delta must be in (0, 1), got {delta}")
        self._delta = delta
        self._rows: list[list[list[float]]] = [[]]  # sum and squared deviation of each bucket, oldest first
        self._count, self._sum, self._squares, self._ticks = 0, 0.0, 0.0, 0

    def __len__(self) -> int:
        """How many values the window holds."""
        return self._count

    @property
    def mean(self) -> float:
        """The mean of the window, 0 while it is empty."""
        return self._sum / self._count if self._count else 0.0

    def update(self, value: float) -> Change | None:
        """Take the next value, in 0 … 1; return the change where the window had to be cut.

        Raises:
            ValueError: where the value is not in 0 … 1.
        """
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"value must be in 0 … 1, got {value}")
        if self._count:
            self._squares += (value - self.mean) ** 2 * self._count / (self._count + 1)
        self._count, self._sum = self._count + 1, self._sum + value
        self._rows[0].append([value, 0.0])
        self._compress()
        self._ticks = (self._ticks + 1) % _CLOCK
        return None if self._ticks or self._count < 2 * _LEAST else self._shrink()

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON's types."""
        sums = {"sum": self._sum, "squares": self._squares}
        return {"delta": self._delta, "ticks": self._ticks, "rows": self._rows, **sums}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Adwin:
        """Return what `to_json` was given.

        Example:
            >>> Adwin.from_json(Adwin().to_json()).to_json() == Adwin().to_json()
            True
        """
        made = cls(found["delta"])
        made._rows = [[list(bucket) for bucket in row] for row in found["rows"]]
        made._ticks, made._sum, made._squares = found["ticks"], found["sum"], found["squares"]
        made._count = sum(len(row) << level for level, row in enumerate(made._rows))
        return made

    def _compress(self) -> None:
        for level, row in enumerate(self._rows):
            if len(row) <= _PER_ROW:
                return
            if level + 1 == len(self._rows):
                self._rows.append([])
            (one, spread), (other, more) = row[:2]
            del row[:2]
            between = (one - other) ** 2 / (2 << level)
            self._rows[level + 1].append([one + other, spread + more + between])

    def _shrink(self) -> Change | None:
        found = None
        while (cut := self._cut()) is not None:
            found = found or cut
            self._drop()
        return found

    def _cut(self) -> Change | None:
        """Return the first cut that parts two means, from the oldest on."""
        count, total = self._count, self._sum
        variance, bits = max(0.0, self._squares) / count, math.log(2.0 * math.log(count) / self._delta)
        older, older_sum = 0, 0.0
        for level in range(len(self._rows) - 1, -1, -1):
            for bucket_sum, _ in self._rows[level]:
                older, older_sum = older + (1 << level), older_sum + bucket_sum
                newer = count - older
                if newer < _LEAST:
                    return None
                if older < _LEAST:
                    continue
                before, after = older_sum / older, (total - older_sum) / newer
                m = 1.0 / older + 1.0 / newer
                if abs(before - after) > math.sqrt(2.0 * m * variance * bits) + 2.0 / 3.0 * m * bits:
                    return Change(before, after, older, newer)
        return None

    def _drop(self) -> None:
        """Forget the oldest bucket."""
        level = len(self._rows) - 1
        total, spread = self._rows[level].pop(0)
        size = 1 << level
        rest = self._count - size
        between = (total / size - (self._sum - total) / rest) ** 2 * size * rest / self._count
        self._squares = max(0.0, self._squares - spread - between)
        self._count, self._sum = rest, self._sum - total
        while len(self._rows) > 1 and not self._rows[-1]:
            self._rows.pop()
