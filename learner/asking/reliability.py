"""How often a person is right: counts of a Beta distribution that grow with every answer that can be judged. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

PRIOR_RIGHT = 4.0
PRIOR_WRONG = 1.0
"""What is believed of somebody unknown: right four times of five, as firmly as five judged answers would say."""

MOST = 0.95
"""Nobody is believed to be right more often than this, so that no one voice outweighs any number of others."""


class Reliability(NamedTuple):
    """What is known of one person: judged answers that were right and wrong, in expectation.

    Attributes:
        right: sum of the chances that each judged answer was right, >= 0.
        wrong: sum of the chances that it was not, >= 0.
    """

    right: float = 0.0
    wrong: float = 0.0

    def after(self, chance: float) -> Reliability:
        """Return what is known after one more answer, which is right with probability `chance`.

        right <- right + chance        wrong <- wrong + 1 - chance

        `chance` is 1 or 0 where the truth is known (a gold query), and the consensus' posterior of the answer where it
        is not: the expectation step of Dawid and Skene, taken once for each answer.

        Args:
            chance: 0 … 1.

        Raises:
            ValueError: where `chance` is out of 0 … 1.

        Source:
            Dawid, Skene, *Maximum likelihood estimation of observer error-rates*, 1979, equation 2.3, in one coin;
            Cappé, Moulines, *On-line expectation-maximization*, 2009, for taking it once.

        Example:
            >>> Reliability().after(1.0).after(0.25)
            Reliability(right=1.25, wrong=0.75)
        """
        if not 0.0 <= chance <= 1.0:
            raise ValueError(f"chance must be in 0 … 1, got {chance}")
        return Reliability(self.right + chance, self.wrong + 1.0 - chance)

    @property
    def mean(self) -> float:
        """The expected probability that the next answer is right, in (0, 1).

        r = (PRIOR_RIGHT + right) / (PRIOR_RIGHT + PRIOR_WRONG + right + wrong)

        Source:
            the mean of the Beta distribution that is conjugate to a coin.

        Example:
            >>> Reliability().mean, Reliability(right=15.0).mean
            (0.8, 0.95)
        """
        right, wrong = PRIOR_RIGHT + self.right, PRIOR_WRONG + self.wrong
        return right / (right + wrong)


def weight(reliability: float, classes: int) -> float:
    """Return how much an answer counts: the logarithm of its odds against a guess.

    w = log(r (C - 1) / (1 - r)), with r clipped to 1/C … MOST: at chance an answer counts nothing, and never against
    itself. It rises with r and lies in 0 … `heaviest(classes)`.

    Args:
        reliability: r, probability of being right, 0 … 1.
        classes: C, >= 2; one class counts as two, since an answer may name a new one.

    Raises:
        ValueError: where an argument is out of its range.

    Source:
        Nitzan, Paroush, *Optimal decision rules in uncertain dichotomous choice situations*, 1982; for C classes, the
        one-coin model of Dawid and Skene, 1979.

    Example:
        >>> round(weight(0.8, 2), 3), round(weight(0.8, 10), 3), weight(0.3, 2)
        (1.386, 3.584, 0.0)
    """
    if not 0.0 <= reliability <= 1.0:
        raise ValueError(f"reliability must be in 0 … 1, got {reliability}")
    if classes < 1:
        raise ValueError(f"classes must be >= 1, got {classes}")
    count = max(2, classes)
    right = believed(reliability, count)
    return max(0.0, math.log(right * (count - 1) / (1.0 - right)))


def heaviest(classes: int) -> float:
    """Return the most that one answer can count.

    Example:
        >>> round(heaviest(2), 3)
        2.944
    """
    return weight(MOST, classes)


def believed(reliability: float, classes: int) -> float:
    """Return the reliability clipped to 1/C … MOST.

    Example:
        >>> believed(0.1, 4), believed(0.99, 4)
        (0.25, 0.95)
    """
    return min(MOST, max(1.0 / classes, reliability))
