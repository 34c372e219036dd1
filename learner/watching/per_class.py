"""Recall of each class and precision of each prediction, from labels that were not chosen at random."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from learner.watching.accuracy import Estimate, weighted_share
from learner.watching.strata import Labelled, Population, weighting_classes


class Outcome(NamedTuple):
    """Labels of one stratum that are alike, with what they say and what was predicted."""

    labelled: Labelled
    predicted: str
    label: str


class OfClass(NamedTuple):
    """How one class fares: how much of it is found, how much of what is called so is so, and on how many labels."""

    recall: Estimate | None
    precision: Estimate | None
    labels: int


def per_class(population: Iterable[Population], outcomes: Iterable[Outcome]) -> dict[str, OfClass]:
    """Return recall and precision of every class that was a label or a prediction, each with a 95 % interval.

    With the weighting classes h of `accuracy` and w_i = (N_h / sum(1/pi) in h) / pi_i, over labels known::

        recall of c = sum(w_i [y_i = c, predicted c]) / sum(w_i [y_i = c])
        precision of c = sum(w_i [y_i = c, predicted c]) / sum(w_i [predicted c])

    with Wilson's interval at (sum w)^2 / sum(w^2) labels: how many samples a class has is itself estimated, so nothing
    is taken off for labels that are sure to be known, and the interval is rather too wide than too narrow.

    Source: Sarndal, Swensson and Wretman, *Model assisted survey sampling*, 1992, section 5.8, for shares in domains.

    Example:
        >>> labels = [Outcome(Labelled(0, 1.0, True, True, 8), "cat", "cat"),
        ...           Outcome(Labelled(0, 1.0, True, False, 2), "cat", "dog")]
        >>> found = per_class([Population(0, 10, 10, 1.0)], labels)
        >>> found["cat"].recall.estimate, found["cat"].precision.estimate, found["dog"].recall.estimate
        (1.0, 0.8, 0.0)
    """
    outcomes = [outcome for outcome in outcomes if outcome.labelled.labels]
    sums: dict[tuple[str, str], list[list[float]]] = {}
    counts: dict[str, int] = {}
    for one in weighting_classes(population, [outcome.labelled for outcome in outcomes]):
        scale = one.samples / math.fsum(known.labels / known.inclusion for known in one.known)
        for known in one.known:
            outcome, weight = outcomes[known.row], scale / known.inclusion
            counts[outcome.label] = counts.get(outcome.label, 0) + known.labels
            for way, name in (("recall", outcome.label), ("precision", outcome.predicted)):
                right = known.labels * weight if known.right else 0.0
                sums.setdefault((way, name), []).append([right, known.labels * weight, known.labels * weight**2])
    return {
        name: OfClass(_share(sums.get(("recall", name))), _share(sums.get(("precision", name))), counts.get(name, 0))
        for name in sorted({name for _, name in sums})
    }


def _share(rows: list[list[float]] | None) -> Estimate | None:
    return None if rows is None else weighted_share(*(math.fsum(column) for column in zip(*rows, strict=True)))
