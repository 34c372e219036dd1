"""What asking may cost: token buckets that no sequence of samples can overdraw. Pure."""

from __future__ import annotations

from typing import NamedTuple

BURST = 10.0
"""What a bucket holds: queries that may be asked ahead of a budget."""

RESERVE = 3.0
"""What the uncertain leave in a bucket, so that exploration is hardly ever refused."""

MIDDLE = (RESERVE + BURST) / 2
"""The level that leaves as much room above it as there is to spend below."""

HOUR, DAY = 3_600_000_000, 86_400_000_000
"""In microseconds."""


class Grant(NamedTuple):
    """What a budget grants: queries per sample, per hour and per day; None where it sets no bound."""

    share: float
    per_hour: float | None = None
    per_day: float | None = None


class Buckets(NamedTuple):
    """A level for each way to count a budget, 0 … BURST queries.

    **The bound.** Levels start in 0 … BURST. A sample adds `share` of a query to the first, the passing of time adds to
    the others at their rates, and what would lift a level above BURST is lost. A query is asked only where every level
    is at least 1, and takes 1 from each. So over any window, with g queries given back within it::

        0 <= level at its end <= level at its start + granted + g - asked <= BURST + granted + g - asked

    that is asked - g <= granted + BURST, where `granted` is share · n for any n samples in a row, and per_hour · t and
    per_day · t / 24 for any t hours. A budget that changes on the way grants what it granted at each moment. This
    holds whatever utilities, coins, times and policies come, but for the rounding of sums to twelve digits.

    What breaks a tie between several people is asked at once, though a level may fall below 0 by it, as `moved` allows:
    then asked - g <= granted + BURST + f holds, with f such further questions within the window, and nothing else is
    asked until every level is back at 1. With one person a sample there are none.

    Attributes:
        share, hour, day: levels, in queries.
        at: the latest moment seen, in microseconds; None before the first.
    """

    share: float = MIDDLE
    hour: float = MIDDLE
    day: float = MIDDLE
    at: int | None = None

    def filled(self, grant: Grant, now: int, *, ease: float = 1.0) -> tuple[Buckets, float]:
        """Return the levels once one more sample has come, and what it was granted: the least over the bounds, <= 1.

        Time that goes back grants nothing. Only `ease` of what is granted goes into the buckets, 0 … 1.

        Example:
            >>> Buckets(2.0, at=0).filled(Grant(0.05, per_hour=36.0), now=1_000_000)
            (Buckets(share=2.05, hour=6.51, day=10.0, at=1000000), 0.01)
        """
        at = now if self.at is None else max(self.at, now)
        passed = 0 if self.at is None else at - self.at
        granted, levels = [1.0, grant.share], [_sum(self.share, ease * grant.share)]
        for level, rate, span in ((self.hour, grant.per_hour, HOUR), (self.day, grant.per_day, DAY)):
            if rate is not None:
                granted.append(rate * passed / span)
            levels.append(BURST if rate is None else _sum(level, ease * rate * passed / span))
        share, hour, day = levels
        return Buckets(share, hour, day, at), min(granted)

    def moved(self, queries: float) -> Buckets:
        """Return the levels after queries were given back, or taken where negative.

        Example:
            >>> Buckets(2.0, 9.5, 10.0).moved(1)
            Buckets(share=3.0, hour=10.0, day=10.0, at=None)
        """
        return Buckets(_sum(self.share, queries), _sum(self.hour, queries), _sum(self.day, queries), self.at)

    @property
    def least(self) -> float:
        """The lowest level, in queries."""
        return min(self.share, self.hour, self.day)


def _sum(level: float, more: float) -> float:
    return min(BURST, round(level + more, 12))
