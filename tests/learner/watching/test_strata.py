"""Strata of propensity, and the weighting classes made of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.watching.strata import EDGES, NEVER_ASKED, Labelled, Population, stratum_of, weighting_classes

rows = st.lists(
    st.tuples(st.integers(-2, 16), st.integers(1, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 3)),
    max_size=12,
    unique_by=lambda row: (row[0], row[4]),
)


@given(st.floats(1e-6, 1.0))
def test_a_stratum_holds_propensities_from_its_edge_to_the_next(p: float) -> None:
    found = stratum_of(p)
    assert found == len(EDGES) or p >= EDGES[found]
    assert found == 0 or p < EDGES[found - 1]


@given(rows)
def test_every_sample_is_in_one_class_at_most_and_every_label_keeps_its_place(
    drawn: list[tuple[int, int, int, int, int]],
) -> None:
    population, labelled = [], []
    for stratum, samples, asked, labels, age in drawn:
        p = EDGES[min(stratum, len(EDGES) - 1)] if stratum >= 0 else 0.0
        could = min(asked, samples) if stratum >= 0 else 0
        known = min(labels, could or samples)
        population.append(Population(stratum, samples, could, p, age))
        labelled.append(Labelled(stratum, p, asked=stratum >= 0, right=True, labels=known, age=age))
    classes = weighting_classes(population, labelled)
    assert sum(one.samples for one in classes) <= sum(row.samples for row in population)
    assert all(0.0 < known.inclusion <= 1.0 for one in classes for known in one.known)
    assert all(0 <= one.silent <= one.unheard < one.samples for one in classes)
    taken = [known.row for one in classes for known in one.known]
    assert len(taken) == len(set(taken))


def test_strata_with_few_labels_join_their_neighbour() -> None:
    population = [Population(h, 100, 20, EDGES[h]) for h in (1, 2, 3)]
    labelled = [Labelled(h, EDGES[h], asked=True, right=True, labels=n) for h, n in ((1, 20), (2, 1), (3, 20))]
    assert [one.samples for one in weighting_classes(population, labelled)] == [100, 200]


def at_age(age: int, samples: int, asked: int, answered: int, told: int = 0) -> tuple[Population, list[Labelled]]:
    """Return samples that were asked with a probability of 1/2, of one age, and their labels."""
    known = ((True, answered), (False, told))
    labels = [Labelled(1, 0.5, asked=of, right=age > 0, labels=count, age=age) for of, count in known if count]
    return Population(1, samples, asked, 0.5, age), labels


@pytest.mark.parametrize(
    ("ages", "sizes", "silent"),
    [
        # labels at one rate, whatever their number: one class
        ([at_age(0, 100, 50, 40), at_age(1, 200, 100, 82), at_age(2, 20, 8, 4)], [320], 0),
        # truths came for the old ones first
        ([at_age(0, 100, 50, 50, 50), at_age(1, 1000, 500, 500)], [100, 1000], 0),
        # nobody has answered of the newest yet
        ([at_age(0, 100, 50, 45), at_age(1, 100, 50, 0)], [200], 100),
        # a few asked a moment ago are like the others
        ([at_age(0, 100, 50, 45), at_age(1, 5, 2, 0)], [105], 0),
        # most of the old ones were withdrawn, few of the newer ones
        ([at_age(0, 1000, 500, 100), at_age(1, 100, 50, 45), at_age(2, 100, 50, 44)], [1000, 200], 0),
    ],
)
def test_each_age_stands_by_itself_where_its_labels_are_known_at_another_rate(
    ages: list[tuple[Population, list[Labelled]]], sizes: list[int], silent: int
) -> None:
    labelled = [row for _population, rows in ages for row in rows]
    classes = weighting_classes([population for population, _rows in ages], labelled)
    assert [one.samples for one in classes] == sizes
    assert sum(one.silent for one in classes) == silent
    weighted = sum(known.labels / known.inclusion for one in classes for known in one.known)
    assert weighted == pytest.approx(sum(sizes) - silent, rel=0.1)  # half were asked, about


def test_labels_of_samples_from_before_count_at_the_nearest_age_that_there_is() -> None:
    """As where a span of time is looked at: people answer what came before it began."""
    population = [Population(1, 100, 50, 0.5, 5), Population(1, 100, 50, 0.5, 6)]
    labelled = [Labelled(1, 0.5, asked=True, right=True, labels=count, age=age) for age, count in ((3, 50), (6, 2))]
    young, old = weighting_classes(population, labelled)
    assert ([known.row for known in young.known], young.samples) == ([0], 100)
    assert ([known.row for known in old.known], old.samples) == ([1], 100)


def test_samples_that_could_not_be_asked_count_at_the_ages_of_which_truths_came() -> None:
    population = [Population(NEVER_ASKED, 100, 0, 0.0, age) for age in (0, 1, 2)]
    told = Labelled(NEVER_ASKED, 0.0, asked=False, right=True, labels=60, age=1)
    [found] = weighting_classes(population, [told])
    assert (found.samples, found.silent, found.known[0].inclusion) == (100, 0, 0.6)


def test_a_propensity_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="propensity must be"):
        stratum_of(1.5)
