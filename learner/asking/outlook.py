"""What a budget would allow at this moment, for those who watch it. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from learner.asking.budget import RESERVE, Grant
from learner.asking.policy import Demand, Policy, Standing, easing

EasedBy = Literal["queue", "learning"]


class Outlook(NamedTuple):
    """Where spending stands, as a person reads it.

    Attributes:
        seen: samples since the warm-up.
        spent: queries asked of them, less those given back.
        free: queries asked outside the budget.
        allowance: queries that the uncertain may ask at once.
        threshold: utility at which asking is a fair coin while the buckets are half full.
        eased: share of the budget that the queue and the labels not yet learned leave, 0 … 1.
        eased_by: which of the two leaves less; None where both leave all.
    """

    seen: int
    spent: int
    free: int
    allowance: float
    threshold: float
    eased: float
    eased_by: EasedBy | None


def outlook(policy: Policy, standing: Standing, demand: Demand, now: int) -> Outlook:
    """Return where spending stands at a moment, in microseconds.

    Example:
        >>> found = outlook(Policy(max_open=100), Standing(seen=40, spent=2, free=20), Demand(open=60), now=0)
        >>> round(found.allowance, 2), round(found.eased, 2), found.eased_by
        (3.5, 0.67, 'queue')
    """
    passed = Grant(0.0, policy.labels_per_hour, policy.labels_per_day)
    level = standing.buckets.filled(passed, now)[0].least
    room, learned = easing(policy, demand._replace(lag=0)), easing(policy, demand._replace(open=0))
    eased_by: EasedBy | None = None if min(room, learned) == 1.0 else ("queue" if room <= learned else "learning")
    return Outlook(
        standing.seen,
        standing.spent,
        standing.free,
        max(0.0, level - RESERVE),
        standing.threshold,
        room * learned,
        eased_by,
    )
