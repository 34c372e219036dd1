"""What an accuracy is made of: samples and labels counted by how likely each sample was to be asked."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

CAME_WITH_TRUTH = -1
"""The stratum of samples that brought their label with them: nobody had to ask."""

NEVER_ASKED = -2
"""The stratum of samples whose propensity is 0: no coin could have asked for them."""

EDGES = (1.0, *(2.0**-octave for octave in range(1, 16)))
"""Lowest propensity of the strata 0, 1, …: certain to be asked, then octave by octave; the last has all below."""

YOUNGEST = tuple(sorted({math.ceil(2.0 ** (half / 2)) for half in range(47)}))
"""The versions at which the ages 1, 2, … begin: 1, 2, 3, 4, 6, 8, 12, … 2^23, two to a doubling."""

_ENOUGH = 5
"""A stratum with fewer labels is counted together with its neighbour."""

_UNALIKE = 3.0
"""Labels are known at another rate where their number is so many standard deviations from what one rate would give."""


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


def age_of(version: int) -> int:
    """Return the age of the model of a version: how many of `YOUNGEST` it has reached.

    Example:
        >>> [age_of(version) for version in (0, 1, 2, 3, 4, 5, 6, 1000, 2**60)]
        [0, 1, 2, 3, 4, 4, 5, 19, 46]
    """
    return bisect_right(YOUNGEST, version)


class Population(NamedTuple):
    """The samples of one stratum that models of one age predicted.

    Attributes:
        stratum: as `stratum_of` says.
        samples: how many there are, each with a prediction.
        asked: how many of them were asked.
        least: the least propensity among them, 1 where they came with their truth.
        age: of the models that predicted them, as `age_of` says.
    """

    stratum: int
    samples: int
    asked: int
    least: float
    age: int = 0


class Labelled(NamedTuple):
    """Labels of one stratum that are alike.

    Attributes:
        stratum: of their samples.
        propensity: of their samples, > 0 but for `NEVER_ASKED`; where several are taken together, their harmonic mean.
        asked: whether their samples were asked, and not only told later.
        right: whether the predictions at arrival were right.
        labels: how many.
        age: of the models that predicted.
    """

    stratum: int
    propensity: float
    asked: bool
    right: bool
    labels: int
    age: int = 0


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
        unheard: how many of the samples are of strata, or of ages, without a single label.
        silent: how many are of ages without a label where, were they like the others, some would be known.
    """

    samples: int
    known: Sequence[Known]
    least: float
    unheard: int = 0
    silent: int = 0


def weighting_classes(population: Iterable[Population], labelled: Iterable[Labelled]) -> list[Class]:
    """Return the classes in which labels that are missing are taken to be like those that are there.

    A sample's label is known where it was asked (probability p) and answered, or where its truth came by itself. In
    each class, with rho the share of the asked whose label is known and q the share of the others::

        inclusion = p rho + (1 - p) q

    which is 1/weight: with every query answered and no truth this is p; with truths for a share q of all samples it is
    the single-frame p + (1 - p) q. Queries that were skipped, expired, withdrawn or are still open lower rho.

    Strata with fewer than 5 labels join the next more likely one, at the end the less likely one. Samples that came
    with their truth stay by themselves; those that could not be asked too, and count only where truths came for some.

    What was predicted by a young model says little of an old one. So where labels of a class are known at another rate
    at one age than at those before - truths come for old samples first, answers lag - each age stands by itself: where
    rho or q of two ages differ by more than 3 standard deviations of what one rate would give. Where no label is known
    of such an age its samples may be anything, and where none could be asked they are left out. Labels of an age that
    no sample here has - a span of time has answers to what came before it - count at the nearest one.

    Source:
        Kalton and Flores-Cervantes, *Weighting methods*, 2003, for classes and their collapse; Kalton and Anderson,
        *Sampling rare populations*, 1986, for the single-frame weight; Little and Rubin, *Statistical analysis with
        missing data*, 2002, section 3.3, for classes within which labels are missing at one rate.

    Example:
        >>> found = weighting_classes([Population(1, 100, 50, 0.5)], [Labelled(1, 0.5, True, True, 40)])
        >>> found[0].known[0].inclusion
        0.4
    """
    cells: dict[int, list[_Cell]] = {}
    for one in population:
        if one.samples:
            cells.setdefault(one.stratum, []).append(_Cell(one, []))
    for index, row in enumerate(labelled):
        if row.labels and row.stratum in cells:
            nearest = min(cells[row.stratum], key=lambda cell: abs(cell.population.age - row.age))
            nearest.rows.append(_Row(index, row))
    groups: list[list[_Cell]] = []
    for stratum in sorted((found for found in cells if found >= 0), reverse=True):
        if not groups or _known_of(groups[-1]) >= _ENOUGH:
            groups.append([])
        groups[-1].extend(cells[stratum])
    if len(groups) > 1 and _known_of(groups[-1]) < min(_ENOUGH, sum(cell.population.samples for cell in groups[-1])):
        rest = groups.pop()
        groups[-1].extend(rest)
    alone = [cells[own] for own in (CAME_WITH_TRUTH, NEVER_ASKED) if own in cells]
    return [found for group in (*alone, *groups) for found in _by_age(group) if found.known]


class _Row(NamedTuple):
    row: int
    labelled: Labelled


class _Cell(NamedTuple):
    """The samples of one stratum and age, and the labels known of them."""

    population: Population
    rows: list[_Row]


class _Rates(NamedTuple):
    """How many were asked, and how many not, and of how many of each the label is known."""

    asked: int
    answered: int
    others: int
    told: int

    @classmethod
    def of(cls, cells: Iterable[_Cell]) -> _Rates:
        asked = answered = others = told = 0
        for population, rows in cells:
            asked, others = asked + population.asked, others + population.samples - population.asked
            answered += sum(row.labelled.labels for row in rows if row.labelled.asked)
            told += sum(row.labelled.labels for row in rows if not row.labelled.asked)
        return cls(asked, min(answered, asked), others, min(told, others))

    def unlike(self, other: _Rates) -> bool:
        """Return whether labels are known of the two at different rates."""
        return _differ(self.answered, self.asked, other.answered, other.asked) or _differ(
            self.told, self.others, other.told, other.others
        )


def _differ(known: int, of: int, known_there: int, of_there: int) -> bool:
    together = of + of_there
    rate = (known + known_there) / max(1, together)
    variance = rate * (1.0 - rate) * of * of_there / max(1, together)
    off = max(0.0, abs(known - rate * of) - 0.5)  # Yates: counts are whole
    return off**2 > _UNALIKE**2 * variance > 0.0


def _by_age(cells: Sequence[_Cell]) -> list[Class]:
    """Return the classes of one group of strata: one, or more where labels are known at rates that change with age."""
    parts: list[list[_Cell]] = []
    for age in sorted({cell.population.age for cell in cells}):
        own = [cell for cell in cells if cell.population.age == age]
        if parts and not _Rates.of(parts[-1]).unlike(_Rates.of(own)):
            parts[-1].extend(own)
        else:
            parts.append(own)
    alone = cells[0].population.stratum in (CAME_WITH_TRUTH, NEVER_ASKED)
    found: list[Class] = []
    silent = 0
    for part in parts:
        one = _weighting_class(part, alone=alone)
        if one.known:
            found.append(one)
        elif not alone:
            silent += one.samples
    if found and silent:
        # Whatever they are: they stand beside the newest that is known, and widen its interval by all of themselves.
        newest = found[-1]
        found[-1] = newest._replace(
            samples=newest.samples + silent, unheard=newest.unheard + silent, silent=newest.silent + silent
        )
    return found


def _weighting_class(cells: Sequence[_Cell], *, alone: bool) -> Class:
    rates = _Rates.of(cells)
    answered = rates.answered / rates.asked if rates.asked else 0.0
    told = rates.told / rates.others if rates.others else 0.0

    def inclusion(propensity: float) -> float:
        return told if alone else propensity * answered + (1.0 - propensity) * told

    rows = [row for cell in cells for row in cell.rows]
    known = [Known(inclusion(of.propensity), of.right, of.labels, index) for index, of in rows]
    heard = {row.labelled.stratum for row in rows}
    return Class(
        sum(cell.population.samples for cell in cells),
        [row for row in known if row.inclusion > 0.0],
        inclusion(min(cell.population.least for cell in cells)),
        sum(cell.population.samples for cell in cells if cell.population.stratum not in heard),
    )


def _known_of(cells: Iterable[_Cell]) -> int:
    return sum(row.labelled.labels for cell in cells for row in cell.rows)
