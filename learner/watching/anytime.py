"""A bound on the number of errors that holds at every moment at once, from errors found with known probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

ALPHA = 0.05
"""How often a stream's whole history may break its interval."""

_BETS = 0.9 * 2.0 ** -np.arange(14.0)
"""x of each bet, spaced so that one is within a factor of the square root of two of the best for any stream's size."""


def most_errors(
    wrong: Sequence[tuple[float, int]], right: Sequence[tuple[float, int]], samples: int, least: float
) -> float:
    r"""Return how many of the samples may have been predicted wrongly, at a level that holds at all moments together.

    Let E be the number of errors among all samples so far, known or not. Sample i becomes known by a coin of
    probability p_i, fixed before the coin falls. For a bet 0 < x < min p_i, with eta = -log(1 - x)::

        M = exp(eta E - sum over known errors of -log(1 - x/p_i))

    Each error multiplies M by e^eta, and if it becomes known also by 1 - x/p_i: on average by
    e^eta (1 - p_i + p_i (1 - x/p_i)) = 1. So M is a martingale that begins at 1, whatever samples, model and policy
    do, and by Ville's inequality M < 2/ALPHA at all moments with probability 1 - ALPHA/2. In the same way
    exp(sum over known hits of log(1 + y/p_i) - log(1 + y) (samples - E)) bounds the hits from below. A mean of
    martingales is one: both with 14 values of x and y each. That mean grows in E, so the bound is where it reaches
    2/ALPHA. A bet with x >= min p_i is lost: its M counts as 0 from then on.

    Args:
        wrong: inclusion probability and number of the known errors.
        right: the same of the known hits.
        samples: how many samples there are, known or not.
        least: the least inclusion probability among them, in (0, 1].

    Returns:
        The bound, from what is known to `samples`; that of the hits by exchanging `wrong` and `right`.

    Raises:
        ValueError: where `least` is not in (0, 1].

    Source:
        Ville, 1939; for weighted observations Waudby-Smith et al., *Anytime-valid off-policy inference*,
        arXiv 2210.10768. With p_i alike and no error known the bound is log(2 * 28/ALPHA)/x, the rule of three made
        valid at all moments.

    Example:
        >>> [round(most_errors([(0.1, 20)], [(0.1, 80)], 1000, 0.1)), round(most_errors([], [(0.1, 100)], 1000, 0.1))]
        [403, 120]
    """
    if not 0.0 < least <= 1.0:
        raise ValueError(f"least must be in (0, 1], got {least}")
    bets = _BETS[least > _BETS]
    p, count = _columns(wrong)
    fewer = np.log1p(-bets[:, None] / np.maximum(p, least)) @ count
    p, count = _columns(right)
    more = np.log1p(_BETS[:, None] / p) @ count
    rise = np.concatenate([-np.log1p(-bets), np.log1p(_BETS)])
    start = np.concatenate([fewer, more - np.log1p(_BETS) * samples])
    target = math.log(2.0 / ALPHA * 2 * len(_BETS))
    bound = float(((target - start) / rise).min())
    for _ in range(30):  # Newton's method from the right of a convex rising function
        heights = start + rise * bound
        top = heights.max()
        shares = np.exp(heights - top)
        above = top + math.log(shares.sum()) - target
        step = above / float(rise @ shares / shares.sum())
        bound -= step
        if abs(step) < 1e-6 * (1.0 + bound):
            break
    return min(float(samples), max(float(sum(labels for _, labels in wrong)), float(bound)))


def _columns(known: Sequence[tuple[float, int]]) -> tuple[np.ndarray, np.ndarray]:
    found = np.array(known, np.float64).reshape(-1, 2)
    return found[:, 0], found[:, 1]
