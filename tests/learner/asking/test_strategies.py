"""Every utility keeps its family's promises: a range, purity, no favourite among classes, extremes, monotony."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from learner.asking.policy import Policy
from learner.asking.strategies import STRATEGIES
from learner.asking.uncertainty_kernels import softmax, summaries

EVERY = pytest.mark.parametrize("name", sorted(STRATEGIES))
logits = arrays(np.float32, st.tuples(st.integers(1, 10), st.integers(1, 6)), elements=st.floats(-50, 50, width=32))
BLIND = {"random", "novelty"}  # the votes mean nothing to them
OF_DOUBT = sorted(STRATEGIES.keys() - BLIND)


@dataclass(frozen=True)
class Said:
    probabilities: dict[str, float]
    predictive_entropy: float
    aleatoric: float
    epistemic: float
    variation_ratio: float
    novelty: float = 0.0
    rarity: float = 1.0
    label: str = "0"


def said_by(votes: Any, **more: float) -> Said:
    """What a committee says whose members have these logits [S, C]."""
    (numbers,), (mean,) = summaries(softmax(np.asarray(votes, dtype=np.float32)[None]))
    named = {str(position): float(p) for position, p in enumerate(mean)}
    return Said(named, *map(float, numbers), **more)


@EVERY
@given(votes=logits, novelty=st.floats(-1e6, 1e6), rarity=st.floats(1e-6, 1), weight=st.floats(0, 1))
def test_a_utility_is_in_its_range_and_the_same_every_time(
    name: str, votes: np.ndarray, novelty: float, rarity: float, weight: float
) -> None:
    said = said_by(votes, novelty=novelty, rarity=rarity)
    value = STRATEGIES[name](said)
    assert 0.0 <= value <= 1.0
    assert STRATEGIES[name](said) == value
    assert said == said_by(votes, novelty=novelty, rarity=rarity)
    assert 0.0 <= Policy(strategy=name, rarity=weight).utility(said) <= value


@EVERY
@given(votes=logits, data=st.data())
def test_the_order_of_classes_and_of_members_says_nothing(name: str, votes: np.ndarray, data: st.DataObject) -> None:
    """Where no member has two modes: of equal ones it votes for the first."""
    assume(votes.shape[1] == 1 or np.diff(np.sort(votes, axis=1)[:, -2:]).min() > 1e-3)
    classes = data.draw(st.permutations(range(votes.shape[1])))
    members = data.draw(st.permutations(range(votes.shape[0])))
    turned = votes[np.ix_(members, classes)]
    assert STRATEGIES[name](said_by(turned)) == pytest.approx(STRATEGIES[name](said_by(votes)), abs=1e-6)


@pytest.mark.parametrize("name", OF_DOUBT)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_who_is_certain_has_nothing_to_learn(name: str, count: int) -> None:
    votes = np.full((10, count), -50.0)
    votes[:, 0] = 50.0
    assert STRATEGIES[name](said_by(votes)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "votes", "expected"),
    [
        ("predictive_entropy", np.zeros((10, 4)), 1.0),
        ("aleatoric", np.zeros((10, 4)), 1.0),
        ("mutual_information", np.zeros((10, 4)), 0.0),  # all members agree that it cannot be known
        ("margin", np.zeros((10, 4)), 1.0),
        ("least_confidence", np.zeros((10, 4)), 1.0),
        ("mutual_information", 100 * np.eye(4), 1.0),  # each is certain of another class
        ("aleatoric", 100 * np.eye(4), 0.0),
        ("predictive_entropy", 100 * np.eye(4), 1.0),
        ("variation_ratio", 100 * np.eye(4), 0.75 + 0.25 * 0.1),
        ("variation_ratio", np.zeros((10, 4)), 0.1),
        ("variation_ratio", np.zeros((10, 90)), 0.1),
        ("variation_ratio", np.where(np.arange(90) < 10, 0.0, -200.0)[None].repeat(10, 0), 0.1),  # ten of ninety
        ("random", np.zeros((10, 4)), 0.5),
        ("novelty", np.zeros((10, 4)), 1 / (1 + math.exp(3))),
    ],
)
def test_extremes_have_the_formulas_values(name: str, votes: np.ndarray, expected: float) -> None:
    assert STRATEGIES[name](said_by(votes)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", sorted(set(OF_DOUBT) - {"mutual_information"}))
@given(doubts=st.tuples(st.floats(0, 5), st.floats(0, 5)), count=st.integers(2, 6))
def test_members_that_agree_are_asked_about_the_more_the_less_sure_they_are(
    name: str, doubts: tuple[float, float], count: int
) -> None:
    """Logits that all favour one class, by less and less."""
    less, more = sorted(doubts)
    sure, unsure = np.zeros((5, count)), np.zeros((5, count))
    sure[:, 0], unsure[:, 0] = 6.0 - less, 6.0 - more
    assert STRATEGIES[name](said_by(unsure)) >= STRATEGIES[name](said_by(sure)) - 1e-9


@given(split=st.integers(0, 4))
def test_the_more_members_disagree_the_more_there_is_to_learn(split: int) -> None:
    def divided(count: int) -> Said:
        votes = np.tile([5.0, -5.0], (10, 1))
        votes[:count] = [-5.0, 5.0]
        return said_by(votes)

    for name in ("variation_ratio", "mutual_information", "predictive_entropy"):
        assert STRATEGIES[name](divided(split + 1)) > STRATEGIES[name](divided(split))


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=2))
def test_the_stranger_the_more_novel(scores: list[float]) -> None:
    base, (less, more) = said_by(np.zeros((2, 2))), sorted(scores)
    assert STRATEGIES["novelty"](replace(base, novelty=less)) <= STRATEGIES["novelty"](replace(base, novelty=more))


@EVERY
@given(weight=st.floats(0, 1), rarities=st.tuples(st.floats(1e-6, 1), st.floats(1e-6, 1)))
def test_a_rare_class_never_counts_less_than_a_common_one(
    name: str, weight: float, rarities: tuple[float, float]
) -> None:
    base, (common, rare) = said_by(np.array([[1.0, 0.0], [0.0, 1.0]])), sorted(rarities)
    policy = Policy(strategy=name, rarity=weight)
    assert policy.utility(replace(base, rarity=common)) <= policy.utility(replace(base, rarity=rare))
    assert Policy(strategy=name, rarity=0.0).utility(replace(base, rarity=common)) == STRATEGIES[name](base)


@EVERY
@given(votes=logits, rarity=st.floats(0, 1), counts=st.tuples(st.integers(0, 400), st.integers(0, 400)))
def test_a_class_that_hardly_comes_never_counts_less_and_stays_in_range(
    name: str, votes: np.ndarray, rarity: float, counts: tuple[int, int]
) -> None:
    said, policy, (few, more) = said_by(votes), Policy(strategy=name, rarity=rarity), sorted(counts)
    rare, common = (policy.utility(said, {"0": count, "1": 400, "2": 400}) for count in (few, more))
    assert policy.utility(said) <= common <= rare <= 1.0
    assert Policy(strategy=name, rarity=0.0).utility(said, {"1": 800}) == STRATEGIES[name](said)


@pytest.mark.parametrize("name", OF_DOUBT)
def test_what_is_surely_of_a_class_that_hardly_comes_is_worth_asking(name: str) -> None:
    certain = said_by(np.tile([50.0, -50.0], (10, 1)))
    assert Policy(strategy=name).utility(certain, {"0": 200, "1": 200}) == pytest.approx(0.0, abs=1e-9)
    assert Policy(strategy=name).utility(certain, {"0": 2, "1": 394}) == pytest.approx(
        0.5 * (1 - 8 * 6 / 404), abs=1e-6
    )
