"""Whether to ask: a coin with a known probability, from utility, threshold and exploration. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

WIDTH = 0.5
"""How soft the threshold is: from 3/4 to 5/4 of it the chance of being asked rises from 0 to 1."""

Reason = Literal["uncertain", "novel", "exploration"]


class Decision(NamedTuple):
    """Whether to ask, why, and by what it was decided.

    Attributes:
        ask: the label is asked for.
        reason: why; None where it is not.
        propensity: the probability with which this input was asked, known before the coin, 0 … 1.
        utility: how much the answer would teach, 0 … 1; 1 where nothing was known yet.
        threshold: the utility at which asking was a fair coin; None where there was no threshold.
    """

    ask: bool
    reason: Reason | None
    propensity: float
    utility: float
    threshold: float | None


def wanted(utility: float, threshold: float) -> float:
    """Return how much an input of this utility is wanted: s = clip((utility/threshold - 1)/WIDTH + 1/2, 0, 1).

    Args:
        utility: how much the answer would teach, 0 … 1.
        threshold: the utility that is wanted by half, > 0.

    Raises:
        ValueError: where `threshold` is not above 0.

    Example:
        >>> wanted(0.3, 0.3), wanted(0.5, 0.3), wanted(0.2, 0.3)
        (0.5, 1.0, 0.0)
    """
    if not threshold > 0.0:
        raise ValueError(f"threshold must be > 0, got {threshold}")
    return min(1.0, max(0.0, (utility / threshold - 1.0) / WIDTH + 0.5))


def toss(utility: float, *, threshold: float, want: float, exploration: float, coin: float) -> Decision:
    """Return whether to ask for the label of one input.

    ::

        propensity = exploration + (1 - exploration) want       ask if coin < propensity

    and the reason is "exploration" where coin < exploration, "uncertain" above it. Whatever forbids to ask makes
    `want` or `exploration` 0 beforehand, so the propensity is exact.

    Args:
        utility: how much the answer would teach; told in the decision.
        threshold: what it was measured against; told in the decision.
        want: probability of asking because of the utility, 0 … 1.
        exploration: probability of asking whatever the utility, 0 … 1.
        coin: uniform on (0, 1).

    Raises:
        ValueError: where `want`, `exploration` or `coin` is out of 0 … 1.

    Example:
        >>> toss(0.5, threshold=0.3, want=1.0, exploration=0.01, coin=0.4)
        Decision(ask=True, reason='uncertain', propensity=1.0, utility=0.5, threshold=0.3)
        >>> toss(0.0, threshold=0.3, want=0.0, exploration=0.01, coin=0.4).propensity
        0.01
    """
    for name, value in (("want", want), ("exploration", exploration), ("coin", coin)):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} must be in 0 … 1, got {value}")
    propensity = exploration + (1.0 - exploration) * want
    ask = coin < propensity
    reason: Reason | None = ("exploration" if coin < exploration else "uncertain") if ask else None
    return Decision(ask, reason, propensity, utility, threshold)
