"""Whether to ask: a coin with a known probability, from utility, threshold and exploration. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

WIDTH = 0.5
"""How soft the threshold is: from 3/4 to 5/4 of it the chance of being asked rises from 0 to 1."""

Reason = Literal["uncertain", "novel", "exploration"]


class Decision(NamedTuple):
    """Whether to ask, why, and with which probability this input would have been asked."""

    ask: bool
    reason: Reason | None
    propensity: float


def decide(utility: float, *, threshold: float, exploration: float, coin: float) -> Decision:
    """Return whether to ask for the label of one input.

    With s = clip((utility/threshold - 1)/WIDTH + 1/2, 0, 1)::

        propensity = exploration + (1 - exploration) s       ask if coin < propensity

    and the reason is "exploration" where coin < exploration, "uncertain" above it.

    Args:
        utility: how much the answer would teach, 0 … 1.
        threshold: the utility at which asking is a fair coin, > 0.
        exploration: probability of asking whatever the utility, 0 … 1.
        coin: uniform on (0, 1).

    Raises:
        ValueError: where `exploration` or `coin` is out of 0 … 1, or `threshold` is not above 0.

    Example:
        >>> decide(0.5, threshold=0.3, exploration=0.01, coin=0.4)
        Decision(ask=True, reason='uncertain', propensity=1.0)
        >>> decide(0.0, threshold=0.3, exploration=0.01, coin=0.4)
        Decision(ask=False, reason=None, propensity=0.01)
    """
    for name, value in (("exploration", exploration), ("coin", coin)):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} must be in 0 … 1, got {value}")
    if not threshold > 0.0:
        raise ValueError(f"threshold must be > 0, got {threshold}")
    above = min(1.0, max(0.0, (utility / threshold - 1.0) / WIDTH + 0.5))
    propensity = exploration + (1.0 - exploration) * above
    if coin >= propensity:
        return Decision(ask=False, reason=None, propensity=propensity)
    return Decision(ask=True, reason="exploration" if coin < exploration else "uncertain", propensity=propensity)
