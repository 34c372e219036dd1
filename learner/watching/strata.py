"""What an accuracy is made of: samples and labels counted by how likely each sample was to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

CAME_WITH_TRUTH = -1
"""The stratum of samples that brought their label with them: nobody had to ask."""

NEVER_ASKED = -2
"""The stratum of samples whose propensity is 0: no coin could have asked for them."""

EDGES = (1.0, *(2.0**-octave for octave in range(1, 16)))
"""Lowest propensity of the strata 0, 1, …: certain to be asked, then octave by octave; the last has all below."""

_ENOUGH = 5
"""A stratum with fewer labels is counted together with its neighbour."""


def stratum_of(propensity: float | None) -> int:
    """Return the stratum of a sample by its propensity, None where it came with its truth.

    Raises:
        ValueError: where the propensity is not in 0 … 1.

    Example:
        >>> [stratum_of(p) for p in (None, 0.0, 1.0, 0.5, 0.3, 0.005, 1e-9)]
        [-1, -2, 0, 1, 2, 8, 16]
    """
    if propensity is None:
        return CAME_WITH_TRUTH
    if not 0.0 <= propensity <= 1.0:
        raise ValueError(f"propensity must be in 0 … 1, got {propensity}")
    if propensity == 0.0:
        return NEVER_ASKED
    return next((index for index, edge in enumerate(EDGES) if propensity >= edge), len(EDGES))


class Population(NamedTuple):
    """The samples of one stratum.

    Attributes:
        stratum: as `stratum_of` says.
        samples: how many there are, each with a prediction.
        asked: how many of them were asked.
        least: the least propensity among them, 1 where they came with their truth.
    """

    stratum: int
    samples: int
    asked: int
    least: float


class Labelled(NamedTuple):
    """Labels of one stratum that are alike.

    Attributes:
        stratum: of their samples.
        propensity: of their samples, > 0 but for `NEVER_ASKED`; where several are taken together, their harmonic mean.
        asked: whether their samples were asked, and not only told later.
        right: whether the predictions at arrival were right.
        labels: how many.
    """

    stratum: int
    propensity: float
    asked: bool
    right: bool
    labels: int


class Known(NamedTuple):
    """Labels that are alike, with the probability by which the label of such a sample is known, in (0, 1].

    Attributes:
        inclusion: that probability.
        right: whether the predictions were right.
        labels: how many.
        row: which of the rows of labels given these are.
    """

    inclusion: float
    right: bool
    labels: int
    row: int


class Class(NamedTuple):
    """A weighting class: samples among which those with a known label speak for the rest.

    Attributes:
        samples: how many.
        known: their labels.
        least: the least probability that a label is known.
        unheard: how many of the samples are of strata without a single label.
    """

    samples: int
    known: Sequence[Known]
    least: float
    unheard: int = 0


def weighting_classes(population: Iterable[Population], labelled: Iterable[Labelled]) -> list[Class]:
    """Return the classes in which labels that are missing are taken to be like those that are there.

    A sample's label is known where it was asked (probability p) and answered, or where its truth came by itself. In
    each class, with rho the share of the asked whose label is known and q the share of the others::

        inclusion = p rho + (1 - p) q

    which is 1/weight: with every query answered and no truth this is p; with truths for a share q of all samples it is
    the single-frame p + (1 - p) q. Queries that were skipped, expired, withdrawn or are still open lower rho.

    Strata with fewer than 5 labels join the next more likely one, at the end the less likely one. Samples that came
    with their truth stay by themselves; those that could not be asked too, and count only where truths came for some.

    Source:
        Kalton and Flores-Cervantes, *Weighting methods*, 2003, for classes and their collapse; Kalton and Anderson,
        *Sampling rare populations*, 1986, for the single-frame weight.

    Example:
        >>> found = weighting_classes([Population(1, 100, 50, 0.5)], [Labelled(1, 0.5, True, True, 40)])
        >>> found[0].known[0].inclusion
        0.4
    """
    samples = {row.stratum: row for row in population if row.samples}
    labels: dict[int, list[_Row]] = {stratum: [] for stratum in samples}
    for index, row in enumerate(labelled):
        if row.stratum in labels and row.labels:
            labels[row.stratum].append(_Row(index, row))
    alone = [_weighting_class([samples[own]], labels[own]) for own in (CAME_WITH_TRUTH, NEVER_ASKED) if own in samples]
    groups: list[tuple[list[Population], list[_Row]]] = []
    for stratum in sorted((found for found in samples if found >= 0), reverse=True):
        if not groups or _count(groups[-1][1]) >= _ENOUGH:
            groups.append(([], []))
        groups[-1][0].append(samples[stratum])
        groups[-1][1].extend(labels[stratum])
    if len(groups) > 1 and _count(groups[-1][1]) < min(_ENOUGH, sum(row.samples for row in groups[-1][0])):
        rest = groups.pop()
        groups[-1][0].extend(rest[0])
        groups[-1][1].extend(rest[1])
    return [found for found in (*alone, *(_weighting_class(*group) for group in groups)) if found.known]


class _Row(NamedTuple):
    row: int
    labelled: Labelled


def _weighting_class(population: Sequence[Population], rows: Sequence[_Row]) -> Class:
    samples, asked, first = sum(row.samples for row in population), sum(row.asked for row in population), population[0]
    alone = first.stratum in (CAME_WITH_TRUTH, NEVER_ASKED)
    others = samples - asked
    answered = min(1.0, _count([row for row in rows if row.labelled.asked]) / asked) if asked else 0.0
    told = min(1.0, _count([row for row in rows if not row.labelled.asked]) / others) if others else 0.0

    def inclusion(propensity: float) -> float:
        return told if alone else propensity * answered + (1.0 - propensity) * told

    known = [Known(inclusion(of.propensity), of.right, of.labels, index) for index, of in rows]
    heard = {row.labelled.stratum for row in rows}
    return Class(
        samples,
        [row for row in known if row.inclusion > 0.0],
        inclusion(min(row.least for row in population)),
        sum(row.samples for row in population if row.stratum not in heard),
    )


def _count(rows: Iterable[_Row]) -> int:
    return sum(row.labelled.labels for row in rows)
