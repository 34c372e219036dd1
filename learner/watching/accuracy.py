"""Accuracy from labels that were not chosen at random: each counts by one over the probability that it is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from learner.watching.anytime import most_errors
from learner.watching.strata import Class, Labelled, Population, weighting_classes

_Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


class Estimate(NamedTuple):
    """A share and its 95 % interval, all in 0 … 1."""

    estimate: float
    low: float
    high: float


class Accuracy(NamedTuple):
    """How often predictions at arrival were right.

    Attributes:
        estimate: the share, 0 … 1.
        low: lower end of the 95 % interval for one look.
        high: its upper end.
        anytime_low: lower end of the 95 % interval that holds however often one looks.
        anytime_high: its upper end.
        labels: how many labels it rests on.
        covered: the share of the samples that it speaks for, 0 … 1.
    """

    estimate: float
    low: float
    high: float
    anytime_low: float
    anytime_high: float
    labels: int
    covered: float


def accuracy(population: Iterable[Population], labelled: Iterable[Labelled]) -> Accuracy | None:
    r"""Return the prequential accuracy over all samples whose label could have become known, with two intervals.

    With weighting classes h of N_h samples (`strata.weighting_classes`), and of each label i known in them whether the
    prediction at arrival was right, c_i, and the probability pi_i that it is known::

        a_h = sum(c_i/pi_i) / sum(1/pi_i)            a = sum(N_h a_h) / sum(N_h)
        n_h = sum(1/pi_i)^2 / sum((1 - pi_i)/pi_i^2)      (infinite where every label is sure to be known)
        low  = a - sqrt(sum (N_h/N)^2 (a_h - low_h)^2)    high = a + sqrt(sum (N_h/N)^2 (high_h - a_h)^2)

    low_h, high_h: Wilson's interval of a_h at n_h labels. It keeps its width where no error has been seen, which a
    normal interval does not. What is estimated is the share of the samples so far, not of samples to come: where every
    label is known the interval is a point.

    The anytime interval bounds the number of errors by a martingale (`anytime.most_errors`), and that of right
    predictions in the same way. It is exact at any number of labels and any stopping rule while every query is
    answered; with estimated shares of answers and truths it holds as far as these do.

    Weights are not truncated: the policy's floor on the propensity bounds them, and labels of one class only speak for
    the N_h samples of that class. Samples of an age of the model of which no label is known, though some would be were
    they like the others, may be right or wrong in all intervals. Not corrected: queries that people skip because they
    are hard, among samples of equal propensity.

    Args:
        population: samples by stratum.
        labelled: their labels.

    Returns:
        The accuracy, or None without a label.

    Source:
        Hajek, 1971, within classes; Holt and Smith, *Post stratification*, 1979; Wilson, 1927; Kish, 1965, for n_h;
        Newcombe, 1998, and Zou and Donner, 2008, for intervals of sums of shares.

    Example:
        >>> samples = [Population(0, 100, 100, 1.0), Population(8, 9900, 50, 0.005)]
        >>> labels = [Labelled(0, 1.0, True, True, 60), Labelled(0, 1.0, True, False, 40),
        ...           Labelled(8, 0.005, True, True, 49), Labelled(8, 0.005, True, False, 1)]
        >>> found = accuracy(samples, labels)
        >>> [round(x, 3) for x in (found.estimate, found.low, found.high, found.covered)]
        [0.976, 0.892, 0.992, 1.0]
    """
    population = list(population)
    classes = weighting_classes(population, labelled)
    count = sum(one.samples for one in classes)
    if not count:
        return None
    estimate = below = above = 0.0
    for one in classes:
        share, (inside, low, high) = one.samples / count, _of_class(one)
        estimate += share * inside
        below += (share * (inside - low)) ** 2
        above += (share * (high - inside)) ** 2
    wrong, right = _known(classes, right=False), _known(classes, right=True)
    least, silent = min(one.least for one in classes), sum(one.silent for one in classes)
    errors = most_errors(wrong, right, count - silent, least) + silent
    hits = most_errors(right, wrong, count - silent, least) + silent
    return Accuracy(
        estimate,
        max(0.0, estimate - math.sqrt(below)),
        min(1.0, estimate + math.sqrt(above)),
        min(estimate, 1.0 - errors / count),
        max(estimate, hits / count),
        sum(known.labels for one in classes for known in one.known),
        count / sum(row.samples for row in population),
    )


def weighted_share(right: float, total: float, total_squared: float) -> Estimate | None:
    """Return the self-normalised share of what is right, with Wilson's interval at the effective number of labels.

    With weights w_i::

        a = sum(w_i right_i) / sum(w_i)        n = sum(w_i)^2 / sum(w_i^2)
        interval = (a + z^2/2n +- z sqrt(a(1-a)/n + z^2/4n^2)) / (1 + z^2/n)

    Args:
        right: sum of the weights of what is right, >= 0.
        total: sum of all weights, >= `right`.
        total_squared: sum of all squared weights, >= 0; each times 1 - inclusion where the share of a finite number
            is meant. 0 gives the share alone.

    Returns:
        The estimate, or None without any label.

    Raises:
        ValueError: where the sums cannot belong together.

    Source:
        Hesterberg, *Weighted average importance sampling*, 1995; Wilson, 1927; Kish, 1965, for n.

    Example:
        >>> [round(x, 3) for x in weighted_share(90.0, 100.0, 100.0)]
        [0.9, 0.826, 0.945]
    """
    if total <= 0:
        return None
    if not (0 <= right <= total * (1 + 1e-9) and total_squared >= 0):
        raise ValueError(f"right must be in 0 … total = {total}, got {right}")
    share = min(1.0, right / total)
    z2 = _Z95 * _Z95 * total_squared / (total * total)
    half = math.sqrt(z2 * share * (1.0 - share) + z2 * z2 / 4.0)
    return Estimate(
        share, max(0.0, (share + z2 / 2.0 - half) / (1.0 + z2)), min(1.0, (share + z2 / 2.0 + half) / (1.0 + z2))
    )


def _of_class(one: Class) -> Estimate:
    found = weighted_share(
        math.fsum(known.labels / known.inclusion for known in one.known if known.right),
        math.fsum(known.labels / known.inclusion for known in one.known),
        math.fsum(known.labels * (1.0 - known.inclusion) / known.inclusion**2 for known in one.known),
    )
    if found is None:
        return Estimate(0.0, 0.0, 1.0)
    heard = 1.0 - one.unheard / one.samples
    return Estimate(found.estimate, heard * found.low, heard * found.high + 1.0 - heard)


def _known(classes: Sequence[Class], *, right: bool) -> list[tuple[float, int]]:
    return [(known.inclusion, known.labels) for one in classes for known in one.known if known.right is right]
