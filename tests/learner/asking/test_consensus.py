"""What several answers agree on, whoever gave them and in whatever order."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.asking.consensus import Answer, Rule, consensus, most_probable, posterior
from learner.asking.reliability import MOST, Reliability, heaviest, weight

LABELS = ("a", "b", "c", "d")

rules = st.sampled_from(["majority", "weighted"])
chances = st.floats(0.0, 1.0)
given_answers = st.lists(st.builds(Answer, st.sampled_from(LABELS), chances), min_size=1, max_size=7)


@given(rules, given_answers, st.randoms(use_true_random=False), st.integers(0, 3))
def test_the_order_of_the_answers_does_not_matter(rule: Rule, said: list[Answer], chance: object, left: int) -> None:
    mixed = list(said)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert consensus(rule, mixed, 4, remaining=left) == consensus(rule, said, 4, remaining=left)
    assert posterior(mixed, LABELS) == posterior(said, LABELS)


@given(rules, st.sampled_from(LABELS), st.lists(chances, min_size=1, max_size=7), st.integers(2, 1000))
def test_what_everybody_says_wins(rule: Rule, label: str, known: list[float], classes: int) -> None:
    assert consensus(rule, [Answer(label, r) for r in known], classes) == (label, True)


@given(rules, given_answers, st.integers(1, 3), st.data())
def test_what_is_final_no_further_answer_changes(
    rule: Rule, said: list[Answer], left: int, data: st.DataObject
) -> None:
    verdict = consensus(rule, said, 4, remaining=left)
    more = data.draw(st.lists(st.builds(Answer, st.sampled_from(LABELS), chances), min_size=left, max_size=left))
    if verdict.final:
        assert consensus(rule, [*said, *more], 4) == verdict


@given(given_answers, st.integers(1, 3))
def test_a_majority_that_is_not_final_can_still_be_caught_up_with(said: list[Answer], left: int) -> None:
    verdict = consensus("majority", said, 4, remaining=left)
    if not verdict.final:
        ends = itertools.product(LABELS, repeat=left)
        found = {consensus("majority", [*said, *(Answer(label, 1.0) for label in end)], 4).label for end in ends}
        assert len(found) > 1


@given(chances, chances, st.integers(2, 1000))
def test_the_more_reliable_never_count_less_and_nobody_counts_without_bound(a: float, b: float, classes: int) -> None:
    low, high = sorted((a, b))
    assert 0.0 <= weight(low, classes) <= weight(high, classes) <= heaviest(classes)
    assert heaviest(classes) < math.log(classes / (1.0 - MOST))


@given(given_answers)
def test_the_weighted_winner_is_the_most_probable_class(said: list[Answer]) -> None:
    found = posterior(said, LABELS)
    assert math.fsum(found.values()) == pytest.approx(1.0)
    winner = consensus("weighted", said, len(LABELS)).label
    # Answers at chance name a label without making it more probable.
    if winner is not None and any(weight(one.reliability, 4) > 0 for one in said if one.label == winner):
        assert found[winner] == pytest.approx(max(found.values()))
        assert most_probable(said, LABELS) in (winner, None)


@given(given_answers, st.sampled_from(LABELS), st.floats(0.26, 1.0))
def test_one_more_answer_makes_its_label_more_probable(said: list[Answer], label: str, known: float) -> None:
    more = posterior([*said, Answer(label, known)], LABELS)
    assert more[label] >= posterior(said, LABELS)[label] - 1e-12


def test_a_tie_has_no_winner_by_majority_and_the_more_reliable_breaks_it() -> None:
    said = [Answer("a", 0.9), Answer("b", 0.7)]
    assert consensus("majority", said, 4) == (None, False)
    assert most_probable(said, LABELS) == "a"
    assert most_probable([Answer("a", 0.7), Answer("b", 0.7)], LABELS) is None


def test_without_answers_there_is_no_verdict() -> None:
    assert consensus("majority", [], 2) == (None, False)
    assert most_probable([], ["a"]) is None


def test_a_class_that_only_an_answer_names_is_among_the_classes() -> None:
    assert set(posterior([Answer("new", 0.8)], ["a"])) == {"a", "new"}


@pytest.mark.parametrize("rule", ["unanimity", ""])
def test_an_unknown_rule_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="rule must be 'majority' or 'weighted'"):
        consensus(rule, [], 2)  # type: ignore[arg-type]


def test_questions_that_remain_are_not_negative() -> None:
    with pytest.raises(ValueError, match="remaining must be >= 0, got -1"):
        consensus("majority", [], 2, remaining=-1)


@given(st.lists(chances, max_size=40))
def test_reliability_lies_between_prior_and_what_was_judged(judged: list[float]) -> None:
    known = Reliability()
    for chance in judged:
        known = known.after(chance)
    assert known.right + known.wrong == pytest.approx(len(judged))
    assert 0.0 < known.mean < 1.0
    assert known.after(1.0).mean > known.mean > known.after(0.0).mean


def test_a_chance_is_a_probability() -> None:
    with pytest.raises(ValueError, match="chance must be in 0 … 1"):
        Reliability().after(1.5)
    with pytest.raises(ValueError, match="reliability must be in 0 … 1"):
        weight(-0.1, 2)
    with pytest.raises(ValueError, match="classes must be >= 1, got 0"):
        weight(0.5, 0)
