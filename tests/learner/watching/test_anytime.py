"""The bound on errors that holds at all moments together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.watching.anytime import ALPHA, most_errors

known = st.lists(st.tuples(st.floats(0.01, 1.0), st.integers(1, 50)), max_size=8)


@given(known, known, st.integers(0, 10_000))
def test_the_bound_lies_between_what_is_known_and_what_is_possible(
    wrong: list[tuple[float, int]], right: list[tuple[float, int]], unknown: int
) -> None:
    errors, hits = (sum(count for _, count in rows) for rows in (wrong, right))
    samples = errors + hits + unknown
    bound = most_errors(wrong, right, samples, 0.01)
    assert min(errors, samples) <= bound + 1e-6
    assert bound <= samples


@given(known, known, st.floats(0.01, 1.0))
def test_one_more_known_error_never_lowers_the_bound(
    wrong: list[tuple[float, int]], right: list[tuple[float, int]], p: float
) -> None:
    before = most_errors(wrong, right, 10_000, 0.01)
    assert most_errors([*wrong, (p, 1)], right, 10_000, 0.01) >= before - 1e-3


def test_it_is_the_root_of_the_mean_of_all_bets() -> None:
    wrong, right, samples, least = [(0.05, 7), (0.5, 30)], [(0.05, 90), (0.5, 60)], 3000, 0.05
    errors = most_errors(wrong, right, samples, least)
    bets = [0.9 * 2.0**-k for k in range(14)]
    factors = [
        math.exp(-math.log1p(-x) * errors + sum(count * math.log1p(-x / p) for p, count in wrong))
        for x in bets
        if x < least
    ]
    factors += [
        math.exp(sum(count * math.log1p(x / p) for p, count in right) - math.log1p(x) * (samples - errors))
        for x in bets
    ]
    assert sum(factors) / 28 == pytest.approx(2 / ALPHA, rel=1e-3)


def test_hardly_any_history_ever_leaves_its_bounds() -> None:
    random, broken, runs = np.random.default_rng(0), 0, 300
    for _ in range(runs):
        p = np.where(random.random(1500) < 0.8, 0.05, random.uniform(0.1, 1.0, 1500))
        right = random.random(1500) < np.where(p > 0.05, 0.5, 0.97)
        asked = random.random(1500) < p
        inside = True
        for until in range(50, 1501, 50):
            seen = np.flatnonzero(asked[:until])
            wrong, hits = ([(float(p[i]), 1) for i in seen if right[i] == is_right] for is_right in (False, True))
            errors = until - right[:until].sum()
            inside &= until - most_errors(hits, wrong, until, 0.05) <= errors <= most_errors(wrong, hits, until, 0.05)
        broken += not inside
    assert broken / runs <= ALPHA


def test_a_least_probability_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="least must be"):
        most_errors([], [], 10, 0.0)
