"""Agreement among people, against its definition and known values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.asking.agreement import krippendorff_alpha, percent_agreement

questions = st.lists(st.lists(st.sampled_from("abc"), max_size=5), max_size=30)


@given(questions, st.randoms(use_true_random=False))
def test_neither_the_order_of_questions_nor_that_of_answers_matters(said: list[list[str]], chance: object) -> None:
    mixed = [list(answers) for answers in said]
    for answers in [mixed, *mixed]:
        chance.shuffle(answers)  # type: ignore[attr-defined]
    assert percent_agreement(mixed) == pytest.approx(percent_agreement(said))
    assert krippendorff_alpha(mixed) == pytest.approx(krippendorff_alpha(said))


@given(questions)
def test_both_stay_in_their_range(said: list[list[str]]) -> None:
    share, alpha = percent_agreement(said), krippendorff_alpha(said)
    assert share is None or 0.0 <= share <= 1.0
    assert alpha is None or alpha <= 1.0
    assert (share is None) == all(len(answers) < 2 for answers in said)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(2, 4)), min_size=2, max_size=20))
def test_full_agreement_is_1(said: list[tuple[str, int]]) -> None:
    answers = [[label] * count for label, count in said]
    assert percent_agreement(answers) == 1.0
    assert krippendorff_alpha(answers) == (1.0 if len({label for label, _ in said}) > 1 else None)


def test_alpha_of_krippendorffs_own_example() -> None:
    # Example C of the 2011 paper: four observers, twelve units, missing answers left out; nominal alpha is 0.743.
    units = ["111", "2223", "3333", "3333", "2222", "1234", "4444", "1112", "2222", "555", "11", "3"]
    alpha = krippendorff_alpha([list(unit) for unit in units])
    assert alpha == pytest.approx(0.743, abs=0.0005)


def test_chance_gives_about_0() -> None:
    every_pair = [[a, b] for a in "ab" for b in "ab"] * 500
    assert krippendorff_alpha(every_pair) == pytest.approx(0.0, abs=0.001)
    assert percent_agreement(every_pair) == 0.5
