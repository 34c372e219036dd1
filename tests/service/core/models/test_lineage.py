"""Which entries count, for every kind of revision and any nesting of rollbacks."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.models.lineage import Lineage, Span
from service.core.models.thinning import surplus


def back(seq: int, target: int) -> Any:
    return SimpleNamespace(seq=seq, kind="rollback", target_seq=target, label=None)


def gone(seq: int, target: int) -> Any:
    return SimpleNamespace(seq=seq, kind="retraction", target_seq=target, label=None)


def said(seq: int, target: int, label: str) -> Any:
    return SimpleNamespace(seq=seq, kind="correction", target_seq=target, label=label)


def test_a_rollback_leaves_out_what_lies_between() -> None:
    found = Lineage.of([back(6, 3)], 8)
    assert [found.counts(seq) for seq in range(9)] == [True, True, True, True, False, False, True, True, True]


def test_going_back_into_a_span_that_was_left_revives_it() -> None:
    assert Lineage.of([back(6, 3), back(8, 5)], 9).spans == (Span(1, 5), Span(8, 9))


def test_rollbacks_to_the_beginning_leave_nothing_before() -> None:
    assert Lineage.of([back(5, 0)], 5).spans == (Span(5, 5),)


def test_a_retraction_that_was_rolled_back_takes_nothing_back() -> None:
    assert not Lineage.of([gone(5, 2)], 5).stands(2)
    assert Lineage.of([gone(5, 2), back(6, 4)], 6).stands(2)


def test_the_newest_revision_decides() -> None:
    rows = [said(4, 1, "b"), said(5, 1, "c")]
    assert Lineage.of(rows, 4).label_of(1, "a") == "b"
    assert Lineage.of(rows, 5).label_of(1, "a") == "c"
    assert not Lineage.of([*rows, gone(6, 1)], 6).stands(1)


@pytest.mark.parametrize(
    ("seq", "as_of", "leads"), [(1, 1, True), (2, 2, False), (4, 4, False), (3, 5, True), (5, 5, True)]
)
def test_a_state_leads_on_where_nothing_it_holds_was_revised_after_it(seq: int, as_of: int, leads: bool) -> None:
    assert Lineage.of([gone(5, 2)], 6).continues(seq, as_of) is leads


def test_a_state_of_a_span_that_was_left_leads_nowhere() -> None:
    assert not Lineage.of([back(6, 3)], 8).continues(4, 4)


def test_histories_share_their_entries_up_to_where_they_part() -> None:
    rows = [back(6, 3)]
    assert Lineage.of(rows, 8).shares(Lineage.of(rows, 5)) == 3
    assert Lineage.of(rows, 8).shares(Lineage.of(rows, 7)) == 7
    assert Lineage.of(rows, 8).shares(Lineage.of(rows, 0)) == 0


@given(st.integers(1, 8), st.integers(1, 600))
def test_kept_snapshots_lie_no_further_apart_than_their_age_allows(recent: int, count: int) -> None:
    kept: set[int] = set()
    for number in range(1, count + 1):
        kept.add(number)
        kept -= surplus(kept, recent)
    assert kept >= set(range(max(1, count - recent + 1), count + 1))
    steps = sorted({0} | kept)
    for older, newer in pairwise(steps):
        assert newer - older <= max(1, 2 * (count - older) / recent)
    assert len(kept) <= recent * (2 + count.bit_length())
