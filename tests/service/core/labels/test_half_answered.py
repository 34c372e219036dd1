"""Samples of which only some seats were answered when the others ended: what is learned, and what the budget gets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from service.core.access import Role
from service.core.errors import LeaseLostError
from service.core.history import corrections
from service.core.labels import labeling
from service.core.specs import QuerySpec
from service.storage.tables import events, queries, samples
from tests.service.core.by_hand import History, run
from tests.service.core.labels.team import Team, team_of
from tests.service.core.labels.test_tending import counts_agree, stands, tended
from tests.service.core.models.test_retention import DAY, keep

OVERLAP = 3
AGE = 100.0
ROOM = 5.0
"""What the buckets hold at first: neither empty nor full, so that every query given or taken shows."""


POLICY = QuerySpec(warmup_labels=100_000, overlap=OVERLAP, expire_after_seconds=AGE, withdraw_below=1.0)


@pytest.fixture
def team(past: History) -> Team:
    return team_of(past, "seats", 5, POLICY)


def post(team: Team, *, paid: bool) -> str:
    """Post a sample that is asked, within the budget or freely; return its id."""
    sample_id = str(team.post((1.0, 2.0))[0]["id"])
    ruled = samples.update().where(samples.c.id == sample_id).values(threshold=0.5 if paid else None)
    team.past.parts.db.write_now(lambda c: c.execute(ruled))
    buckets = stands(team.past).buckets._replace(share=ROOM, hour=ROOM, day=ROOM)
    stands(team.past, spent=int(paid), free=int(not paid), buckets=buckets)
    return sample_id


def age(team: Team) -> None:
    """Let everything that is open grow too old, and end it."""
    team.pass_seconds(AGE + 10)


def states(team: Team) -> dict[str, int]:
    return dict(counts_agree(team.past))


def level(team: Team) -> float:
    """Return by how many queries the buckets have moved."""
    buckets = stands(team.past).buckets
    [moved] = {buckets.share - ROOM, buckets.hour - ROOM, buckets.day - ROOM}
    return round(moved * OVERLAP, 9)


def spending(team: Team) -> tuple[int, int]:
    standing = stands(team.past)
    return standing.spent, standing.free


@pytest.mark.parametrize("paid", [True, False])
def test_where_nobody_answered_all_is_given_back_and_nothing_learned(team: Team, *, paid: bool) -> None:
    post(team, paid=paid)
    age(team)
    assert states(team) == {"expired": 3}
    assert team.learned() == []
    assert level(team) == (3 if paid else 0)
    assert spending(team) == (0, 0)


@pytest.mark.parametrize("paid", [True, False])
def test_a_lone_answer_is_learned_once_the_other_seats_expire_and_they_alone_are_given_back(
    team: Team, *, paid: bool
) -> None:
    post(team, paid=paid)
    assert team.answer(0, "a")["pending"] is True
    age(team)
    assert states(team) == {"answered": 1, "expired": 2}
    assert team.learned() == [("a", "consensus of 1")]
    assert level(team) == (2 if paid else 0)
    assert spending(team) == (int(paid), int(not paid))
    age(team)
    assert team.learned() == [("a", "consensus of 1")]


@pytest.mark.parametrize("paid", [True, False])
def test_a_sample_is_not_given_back_where_its_first_seat_alone_was_not_answered(team: Team, *, paid: bool) -> None:
    post(team, paid=paid)
    team.lease(0)  # the first seat, and never comes back
    assert team.answer(1, "a")["pending"] is True
    age(team)
    assert states(team) == {"answered": 1, "expired": 2}
    assert level(team) == (2 if paid else 0)
    assert spending(team) == (int(paid), int(not paid))


def test_what_somebody_holds_is_waited_for(team: Team) -> None:
    post(team, paid=True)
    team.answer(0, "a")
    team.past.clock.pass_seconds(AGE + 10)
    [held] = team.lease(1)
    tended(team.past, team.tending)
    assert states(team) == {"answered": 1, "open": 1, "expired": 1}
    assert team.learned() == []
    team.say(1, held, "a")
    assert team.learned() == [("a", "consensus of 2")]
    assert level(team) == 1


@pytest.mark.parametrize("paid", [True, False])
def test_even_answers_ask_two_more_one_after_another_and_then_stay_disputed(team: Team, *, paid: bool) -> None:
    post(team, paid=paid)
    team.answer(0, "a")
    team.answer(1, "b")
    for expired in (1, 2):
        age(team)
        assert states(team) == {"answered": 2, "expired": expired, "open": 1}
        assert level(team) == 0  # one was given back, and one more was asked
        assert team.learned() == []
    age(team)
    assert states(team) == {"answered": 2, "expired": 3}
    assert team.learned() == []
    assert level(team) == (1 if paid else 0)
    assert spending(team) == (int(paid), int(not paid))
    told = team.past.parts.db.read_now(lambda c: c.execute(sa.select(events.c.data)).scalars().all())
    assert [data["disputed"] for data in told if "disputed" in data] == [["a", "b"]]
    age(team)
    assert states(team) == {"answered": 2, "expired": 3}


def test_one_more_who_answers_decides(team: Team) -> None:
    post(team, paid=True)
    team.answer(0, "a")
    team.answer(1, "b")
    age(team)
    assert team.lease(0) == team.lease(1) == []
    team.answer(2, "b")
    assert team.learned() == [("b", "consensus of 3")]
    assert states(team) == {"answered": 3, "expired": 1}
    assert level(team) == 0


def sure(team: Team) -> None:
    """Make the model sure of whatever is open, by a version more."""
    doubted = queries.update().where(queries.c.state == "open").values(reason="uncertain")
    team.past.parts.db.write_now(lambda c: c.execute(doubted))
    stands(team.past, threshold=1.0)
    team.past.label((3.0, -3.0), "b")
    team.past.catch_up()
    tended(team.past, team.tending)


def test_what_the_model_is_sure_of_leaves_the_decision_to_the_answer_there_is(team: Team) -> None:
    post(team, paid=True)
    team.answer(0, "a")
    sure(team)
    assert states(team) == {"answered": 1, "withdrawn": 2}
    assert ("a", "consensus of 1") in team.learned()
    assert level(team) == 2
    assert spending(team) == (1, 0)


def test_people_who_disagree_are_not_cut_short_by_a_model_that_is_sure(team: Team) -> None:
    post(team, paid=True)
    team.answer(0, "a")
    team.answer(1, "b")
    before = asked(team)
    for _ in range(3):
        sure(team)
    assert states(team) == {"answered": 2, "open": 1}
    assert asked(team) == before
    team.answer(2, "b")
    assert ("b", "consensus of 3") in team.learned()


def asked(team: Team) -> int:
    """Return how many events told of queries."""
    chosen = sa.select(sa.func.count()).where(events.c.type == "query")
    return int(team.past.parts.db.read_now(lambda c: c.execute(chosen).scalar_one()))


@pytest.mark.parametrize("paid", [True, False])
def test_a_truth_gives_back_the_seats_that_nobody_answered(team: Team, *, paid: bool) -> None:
    sample_id = post(team, paid=paid)
    team.lease(0)
    team.answer(1, "a")
    run(labeling.learn_late(team.past.parts, team.past.who, team.past.name, sample_id, "b", None))
    assert states(team) == {"answered": 1, "withdrawn": 2}
    assert team.learned() == [("b", team.past.who.name)]
    assert level(team) == (2 if paid else 0)
    assert spending(team) == (int(paid), int(not paid))


def test_what_is_asked_again_after_a_long_time_does_not_expire_at_once(team: Team) -> None:
    post(team, paid=True)
    team.answer(0, "a")
    label_id = str(team.answer(1, "a")["label_id"])
    team.past.clock.pass_seconds(AGE + 10)
    run(corrections.retract(team.past.parts, replace(team.past.who, role=Role.OPERATOR), label_id))
    tended(team.past, team.tending)
    assert states(team) == {"open": 2, "withdrawn": 1}
    team.answer(0, "b")
    team.answer(1, "c")
    tended(team.past, team.tending)
    assert states(team) == {"answered": 2, "open": 1}  # the seat that was withdrawn breaks the tie


def purge(team: Team) -> None:
    """Let the payloads go of all that is older than a day."""
    keep(team.past, payload_days=1)
    team.past.catch_up()


def grow_old(team: Team) -> None:
    team.past.clock.pass_seconds(2 * DAY)
    purge(team)


def test_the_answer_there_is_decides_before_the_payload_goes(team: Team) -> None:
    post(team, paid=True)
    team.answer(0, "a")
    grow_old(team)
    assert states(team) == {"answered": 1, "withdrawn": 2}
    assert team.learned() == [("a", "consensus of 1")]
    assert level(team) == 2
    assert spending(team) == (1, 0)
    assert team.past.trainer._state.counts == (1, 0)


def test_whoever_holds_a_seat_of_a_purged_sample_is_too_late(team: Team) -> None:
    post(team, paid=True)
    team.answer(0, "a")
    team.past.clock.pass_seconds(2 * DAY)
    [held] = team.lease(1)
    purge(team)
    with pytest.raises(LeaseLostError):
        team.say(1, held, "a")
    assert states(team) == {"answered": 1, "withdrawn": 2}
    assert team.learned() == [("a", "consensus of 1")]


def test_nobody_is_asked_to_break_a_tie_of_what_nobody_can_see_any_more(team: Team) -> None:
    post(team, paid=True)
    team.answer(0, "a")
    team.answer(1, "b")
    grow_old(team)
    assert states(team) == {"answered": 2, "withdrawn": 1}
    assert team.learned() == []
    assert "disputed" in str(told(team)[-1])


def told(team: Team) -> list[dict[str, Any]]:
    """Return what events told of queries."""
    chosen = sa.select(events.c.data).where(events.c.type == "query").order_by(events.c.id)
    return list(team.past.parts.db.read_now(lambda c: c.execute(chosen).scalars().all()))
