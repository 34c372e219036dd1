"""The budget counts queries, not samples: it holds at every moment also where several people are asked of one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learner.asking.budget import BURST, MIDDLE
from service.core.specs import QuerySpec
from service.storage.tables import queries
from tests.service.core.by_hand import History, history
from tests.service.core.labels.team import Team, team_of
from tests.service.core.labels.test_tending import stands

AGE = 1000.0
PEOPLE = 4
EPSILON = 1e-6

_names = (f"seats{n}" for n in count())

points = st.tuples(st.floats(-3, 3, width=16), st.floats(-3, 3, width=16))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.lists(points, min_size=1, max_size=40)),
        st.tuples(st.just("answer"), st.tuples(st.integers(0, PEOPLE - 1), st.text("abc", min_size=1, max_size=10))),
        st.just(("age", None)),
    ),
    min_size=3,
    max_size=12,
)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    with history(tmp_path_factory.mktemp("seats")) as found:
        yield found


def opened(team: Team) -> tuple[int, int, int]:
    """Return how many queries were asked at arrival, how many more since, and how many ended unanswered."""
    chosen = sa.select(queries.c.seat, queries.c.seats, queries.c.state)
    mine = chosen.where(queries.c.stream_id == team.past.stream.id)
    rows = team.past.parts.db.read_now(lambda c: c.execute(mine).all())
    further = sum(row.seat >= row.seats for row in rows)
    back = sum(row.state in ("expired", "withdrawn") for row in rows)
    return len(rows) - further, further, back


def work(team: Team, kind: str, what: Any) -> int:
    """Do one step; return how many samples came."""
    if kind == "post":
        return len(team.post(*what))
    if kind == "age":
        team.pass_seconds(AGE + 10)
        return 0
    who, labels = what
    for query, label in zip(team.lease(who), labels, strict=False):
        team.say(who, query, label)
    return 0


@settings(max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    budget=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    exploration=st.sampled_from([0.1, 1.0]),
    overlap=st.sampled_from([2, 3]),
    share=st.sampled_from([0.0, 0.3, 0.7, 0.95]),
    steps=steps,
)
def test_no_moment_has_asked_more_people_than_the_budget_says(
    past: History, budget: float, exploration: float, overlap: int, share: float, steps: list[Any]
) -> None:
    policy = QuerySpec(
        budget=budget,
        exploration=exploration,
        overlap=overlap,
        overlap_share=share,
        warmup_labels=0,
        duplicate_radius=0.0,
        withdraw_below=0.0,
        expire_after_seconds=AGE,
    )
    team = team_of(past, next(_names), PEOPLE, policy)
    posted = 0
    for kind, what in steps:
        posted += work(team, kind, what)
        arrived, further, back = opened(team)
        level = stands(team.past).buckets.share if posted else MIDDLE
        # What was asked was granted or was there, to the seat ...
        assert arrived + further - back <= budget * posted + policy.seats * (MIDDLE - level) + EPSILON
        # ... and only who breaks a tie is asked on credit, which is paid back before the next sample is asked.
        assert level >= 1.0 - (overlap + further) / policy.seats - EPSILON
        assert arrived - back <= budget * posted + BURST * overlap + EPSILON


def test_a_share_of_overlap_uses_the_budget_and_keeps_it(past: History) -> None:
    policy = QuerySpec(budget=0.4, exploration=1.0, overlap=3, overlap_share=0.5, warmup_labels=0, duplicate_radius=0.0)
    team = team_of(past, next(_names), PEOPLE, policy)
    for start in range(0, 1000, 100):
        team.post(*((n % 7 - 3.0, n % 11 / 5) for n in range(start, start + 100)))
        arrived, further, back = opened(team)
        assert (further, back) == (0, 0)
        assert arrived <= 0.4 * (start + 100) + BURST * 3
    assert arrived >= 0.4 * 1000 * 0.85
