"""Strata of propensity, and the weighting classes made of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.watching.strata import EDGES, Labelled, Population, stratum_of, weighting_classes

rows = st.lists(
    st.tuples(st.integers(-2, 16), st.integers(1, 500), st.integers(0, 500), st.integers(0, 500)),
    max_size=10,
    unique_by=lambda row: row[0],
)


@given(st.floats(1e-6, 1.0))
def test_a_stratum_holds_propensities_from_its_edge_to_the_next(p: float) -> None:
    found = stratum_of(p)
    assert found == len(EDGES) or p >= EDGES[found]
    assert found == 0 or p < EDGES[found - 1]


@given(rows)
def test_every_sample_is_in_one_class_at_most_and_every_label_keeps_its_place(
    drawn: list[tuple[int, int, int, int]],
) -> None:
    population, labelled = [], []
    for stratum, samples, asked, labels in drawn:
        p = EDGES[min(stratum, len(EDGES) - 1)] if stratum >= 0 else 0.0
        could = min(asked, samples) if stratum >= 0 else 0
        population.append(Population(stratum, samples, could, p))
        labelled.append(Labelled(stratum, p, asked=stratum >= 0, right=True, labels=min(labels, could or samples)))
    classes = weighting_classes(population, labelled)
    assert sum(one.samples for one in classes) <= sum(row.samples for row in population)
    assert all(0.0 < known.inclusion <= 1.0 for one in classes for known in one.known)
    assert all(0 <= one.unheard < one.samples for one in classes)


def test_strata_with_few_labels_join_their_neighbour() -> None:
    population = [Population(h, 100, 20, EDGES[h]) for h in (1, 2, 3)]
    labelled = [Labelled(h, EDGES[h], asked=True, right=True, labels=n) for h, n in ((1, 20), (2, 1), (3, 20))]
    assert [one.samples for one in weighting_classes(population, labelled)] == [100, 200]


def test_a_propensity_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="propensity must be"):
        stratum_of(1.5)
