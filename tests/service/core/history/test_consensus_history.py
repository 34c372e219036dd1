"""The model is the fold of the log also where labels are what several people agree on, and are taken back."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from learner.snapshot import state_hash
from service.core.access import Role
from service.core.history import corrections
from service.core.specs import QuerySpec
from tests.service.core.by_hand import History, run
from tests.service.core.labels.team import Team, team_of

Point = tuple[float, float]


@dataclass
class Votes:
    """A plain model of one sample asked of three people: what was said of it, and what it was learned as."""

    x: Point
    said: dict[int, str] = field(default_factory=dict)
    label_id: str | None = None

    def majority(self) -> str | None:
        """Return what two of three say."""
        return next((label for label in "ab" if list(self.said.values()).count(label) >= 2), None)


@dataclass
class Vote:
    """Lets a team answer and take back, and writes down what its log should hold."""

    team: Team
    samples: dict[str, Votes] = field(default_factory=dict)

    def post(self, x: Point) -> None:
        [answer] = self.team.post(x)
        self.samples[str(answer["id"])] = Votes(x)

    def answer(self, who: int, query: dict[str, Any], label: str) -> None:
        votes = self.samples[query["sample_id"]]
        assert who not in votes.said
        told = self.team.say(who, query, label)
        votes.said[who] = label
        if votes.label_id is not None:
            assert told == {"label_id": None, "seq": None, "pending": False}
            return
        agreed = votes.majority()
        if agreed is None:
            assert told["pending"] is True
            return
        votes.label_id = told["label_id"]
        self.team.past.entries.append(("label", 0, agreed, votes.x))
        assert told["seq"] == len(self.team.past.entries)

    def retract(self, votes: Votes, who: int | None) -> None:
        """Take a label back, as one of those who answered or, without one, as an operator."""
        past = self.team.past
        by = replace(past.who, role=Role.OPERATOR) if who is None else self.team.people[who]
        assert votes.label_id is not None
        target = past.row(votes.label_id).seq
        run(corrections.retract(past.parts, by, votes.label_id))
        past.entries.append(("retraction", target, "", None))
        votes.label_id = None
        votes.said = {} if who is None else {one: label for one, label in votes.said.items() if one != who}


@pytest.fixture
def vote(past: History) -> Vote:
    return Vote(team_of(past, "votes", 4, QuerySpec(warmup_labels=100_000, overlap=3, expire_after_seconds=0.0)))


def test_the_state_is_the_fold_of_what_people_agreed_on_whatever_they_take_back(vote: Vote) -> None:
    draw, past, team = random.Random(5), vote.team.past, vote.team
    for n in range(12):
        vote.post((n % 5 - 2.0, n % 3 - 1.0))
    learned = retracted = late = 0
    for step in range(160):
        who = draw.randrange(4)
        for query in team.lease(who, draw.choice([1, 2])):
            late += vote.samples[query["sample_id"]].label_id is not None
            vote.answer(who, query, draw.choice("aab"))
        labelled = [votes for votes in vote.samples.values() if votes.label_id is not None]
        learned = max(learned, len(labelled))
        if labelled and draw.random() < 0.12:
            votes = draw.choice(labelled)
            vote.retract(votes, draw.choice([None, draw.choice(sorted(votes.said))]))
            retracted += 1
            past.clock.pass_seconds(100)  # whoever took back lets go
        if step % 40 == 20:
            past.restart()
            past.agrees()
    past.agrees()
    assert learned >= 8
    assert retracted >= 8
    assert late == 0  # nobody is offered what is settled
    standing = [votes.label_id for votes in vote.samples.values() if votes.label_id is not None]
    assert sorted(standing) == sorted(row.id for row in past.rows() if row.retracted_at is None)
    assert past.verified().failures == ()


def test_a_consensus_taken_back_leaves_the_model_as_if_it_had_never_been(vote: Vote) -> None:
    team, past = vote.team, vote.team.past
    for x in ((1.0, 1.0), (-1.0, 2.0), (2.0, -1.0)):
        vote.post(x)
    vote.answer(0, team.lease(0, 1)[0], "a")
    for who, label in ((0, "a"), (1, "b"), (2, "b")):
        for query in team.lease(who):
            vote.answer(who, query, label)
    past.agrees()
    assert past.catch_up().seq == 3
    first, second, third = vote.samples.values()
    vote.retract(second, 1)
    vote.retract(third, None)
    past.agrees()
    assert past.catch_up().seq == 5
    without = [("label", 0, "b", first.x)]
    past.entries, kept = without, past.entries
    assert state_hash(past.expected()) != state_hash(past.catch_up())  # it has another number ...
    alone = replace(past.expected(), seq=5)
    past.entries = kept
    assert state_hash(alone) == state_hash(past.catch_up())  # ... and is the same


def test_an_answer_to_what_is_settled_adds_nothing_to_the_log(vote: Vote) -> None:
    team, past = vote.team, vote.team.past
    vote.post((1.0, 1.0))
    held = [team.lease(who)[0] for who in range(3)]
    for who in range(3):
        vote.answer(who, held[who], "a" if who < 2 else "b")
    past.agrees()
    assert past.catch_up().seq == 1
    [votes] = vote.samples.values()
    vote.retract(votes, 0)
    past.agrees()
    past.clock.pass_seconds(100)
    vote.answer(0, team.lease(0)[0], "b")
    past.agrees()
    assert [row.label for row in past.rows() if row.retracted_at is None] == ["b"]
