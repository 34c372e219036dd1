"""Several people are asked of one sample, over HTTP: each once, and what they agree on is learned once."""

from __future__ import annotations

from typing import Any

import pytest

from service.core.access import Role
from tests.conftest import Running
from tests.service.core.labels.crew import crew, person


def test_nobody_gets_two_seats_of_a_sample_and_as_many_people_as_asked_do(shared_on: Running) -> None:
    team = crew(shared_on, 4)
    for value in range(3):
        team.post(value)
    assert team.stats()["queries"]["asked"] == 9
    held = [{query["sample_id"] for query in one.lease()} for one in team.people]
    assert [len(one) for one in held] == [3, 3, 3, 0]
    assert all(len(one.lease()) == 0 for one in team.people)


def test_the_answer_that_completes_a_consensus_carries_the_label(shared_on: Running) -> None:
    team = crew(shared_on)
    team.post()
    ada, ben, _eve = team.people
    assert ada.answer("a") | {"query": None} == {"label_id": None, "seq": None, "pending": True, "query": None}
    assert team.stats()["log_seq"] == 0
    said = ben.answer("a")
    assert said["seq"] == 1
    [label] = team.labels()
    assert label["label_id"] == said["label_id"]
    assert (label["label"], label["source"], label["by"]) == ("a", "annotator", "consensus of 2")
    assert (label["answers"], label["agreement"]) == (2, 1.0)
    assert team.counts() == (0, 2, 0)  # the third seat could change nothing, and is withdrawn
    assert shared_on.settled(team.name)["health"]["classes"] == {"a": 1, "b": 0, "c": 0}


def test_the_same_answer_again_is_the_same_and_another_is_refused(shared_on: Running) -> None:
    team = crew(shared_on)
    team.post()
    ada, ben, _eve = team.people
    [mine] = ada.lease(1)
    first = ada.say(mine, "a").json()
    assert ada.say(mine, "a").json() == first
    assert ada.say(mine, "b").status_code == 409
    assert team.counts() == (2, 1, 0)
    [his] = ben.lease(1)
    done = ben.say(his, "a").json()
    assert ben.say(his, "a").json() == done
    assert ada.say(mine, "a").json() == first | {"pending": False}
    assert len(team.labels()) == 1


def test_even_answers_ask_one_more_and_at_last_nobody(shared_on: Running) -> None:
    team = crew(shared_on, 5, overlap=2)
    team.post()
    ada, ben, eve, dan, kim = team.people
    ada.answer("a")
    ben.answer("b")
    assert team.counts() == (1, 2, 0)
    eve.answer("c")
    assert dan.answer("c")["seq"] == 1
    assert kim.lease() == []
    [label] = team.labels()
    assert (label["label"], label["agreement"]) == ("c", 0.5)


def test_what_stays_even_is_disputed_and_not_learned(shared_on: Running) -> None:
    team = crew(shared_on, 5, overlap=2)
    team.post()
    for one, label in zip(team.people, ["a", "b", "b", "a"], strict=False):
        one.answer(label)
        if team.labels():
            break
    # a, b, b: two of three is a majority.
    assert [label["label"] for label in team.labels()] == ["b"]
    other = crew(shared_on, 5, overlap=2)
    other.post()
    for one, label in zip(other.people, ["a", "b", "c"], strict=False):
        one.answer(label)
    [query] = other.people[3].lease()
    other.people[3].skip(query, "unclear")
    assert other.labels() == []
    assert other.counts() == (0, 3, 1)
    late = {"sample_id": query["sample_id"], "label": "c"}
    shared_on.client.post(f"/v1/streams/{other.name}/labels", json=late).raise_for_status()
    assert [label["label"] for label in other.labels()] == ["c"]


def test_skipped_seats_leave_the_decision_to_the_others(shared_on: Running) -> None:
    team = crew(shared_on)
    team.post()
    ada, ben, eve = team.people
    for one in (ada, ben):
        [query] = one.lease()
        one.skip(query, "unclear")
        assert one.lease() == []  # nor another seat of what was skipped
    assert eve.answer("b")["seq"] == 1
    assert team.counts() == (0, 1, 2)


def test_a_seat_left_to_others_is_none_of_ones_own_any_more(shared_on: Running) -> None:
    team = crew(shared_on)
    team.post()
    ada = team.people[0]
    [query] = ada.lease()
    ada.skip(query, "not_for_me")
    assert ada.lease() == []
    assert team.counts() == (3, 0, 0)


def test_whoever_held_a_seat_when_the_others_agreed_may_still_answer_and_nothing_more_is_learned(
    shared_on: Running,
) -> None:
    team = crew(shared_on)
    team.post()
    ada, ben, eve = team.people
    [held] = eve.lease()
    ada.answer("a")
    ben.answer("a")
    assert team.counts() == (0, 2, 0)
    assert eve.say(held, "b").json() == {"label_id": None, "seq": None, "pending": False}
    assert eve.say(held, "b").status_code == 200
    assert team.counts() == (0, 3, 0)
    [label] = team.labels()
    assert (label["label"], label["answers"], label["agreement"]) == ("a", 3, pytest.approx(2 / 3))


def test_an_answer_taken_back_while_pending_is_asked_again(shared_on: Running) -> None:
    team = crew(shared_on)
    team.post()
    ada, ben, eve = team.people
    said = ada.answer("b")
    assert ben("POST", f"/v1/queries/{said['query']}:retract").status_code == 404
    back = ada("POST", f"/v1/queries/{said['query']}:retract").json()
    assert (back["label_id"], back["retracted"], back["job"]) == (None, True, None)
    assert team.counts() == (3, 0, 0)
    ada.say(back["query"], "a")
    ben.answer("a")
    assert [label["label"] for label in team.labels()] == ["a"]
    assert eve.lease() == []


def test_who_takes_back_an_answer_takes_back_the_consensus_and_forms_it_again(shared_on: Running) -> None:
    team = crew(shared_on)
    team.post()
    ada, ben, eve = team.people
    ada.answer("a")
    said = ben.answer("a")
    assert eve("DELETE", f"/v1/labels/{said['label_id']}").status_code == 403
    assert ben("PATCH", f"/v1/labels/{said['label_id']}", {"label": "b"}).status_code == 403
    back = ben("DELETE", f"/v1/labels/{said['label_id']}").json()
    assert back["retracted"] is True
    assert back["query"]["id"] == said["query"]
    assert team.counts() == (1, 1, 0)
    assert ben.say(back["query"], "b").json()["pending"] is True
    assert eve.answer("b")["seq"] == 3
    assert [(label["label"], label["retracted"]) for label in team.labels()] == [("a", True), ("b", False)]
    stats = shared_on.settled(team.name)
    assert stats["health"]["classes"] == {"a": 0, "b": 1, "c": 0}


def test_an_operator_who_takes_a_consensus_back_has_everybody_asked_again(shared_on: Running) -> None:
    team = crew(shared_on)
    team.post()
    ada, ben, _eve = team.people
    ada.answer("a")
    said = ben.answer("a")
    boss = person(shared_on, team.name, Role.OPERATOR)
    back = boss("DELETE", f"/v1/labels/{said['label_id']}").json()
    assert back["query"] is None
    assert team.counts() == (2, 0, 0)
    ada.answer("c")
    assert ben.answer("c")["seq"] == 3


def test_a_correction_of_a_consensus_is_the_truth_about_its_answers(shared_on: Running) -> None:
    team = crew(shared_on)
    team.post()
    ada, ben, _eve = team.people
    ada.answer("a")
    said = ben.answer("a")
    boss = person(shared_on, team.name, Role.OPERATOR)
    boss("PATCH", f"/v1/labels/{said['label_id']}", {"label": "b"}).raise_for_status()
    [label] = team.labels()
    assert (label["label"], label["agreement"]) == ("b", 0.0)


def test_late_truth_withdraws_every_seat(shared_on: Running) -> None:
    team = crew(shared_on)
    sample = team.post()
    team.people[0].answer("a")
    late = {"sample_id": sample["id"], "label": "b"}
    shared_on.client.post(f"/v1/streams/{team.name}/labels", json=late).raise_for_status()
    assert team.counts() == (0, 1, 0)
    assert all(one.lease() == [] for one in team.people)


def test_a_rollback_reopens_the_seats_and_another_closes_them(shared_on: Running) -> None:
    team = crew(shared_on)
    team.post()
    ada, ben, _eve = team.people
    ada.answer("a")
    ben.answer("a")
    path = f"/v1/streams/{team.name}:rollback"
    shared_on.client.post(path, json={"seq": 0}).raise_for_status()
    assert team.counts() == (2, 0, 0)
    shared_on.client.post(path, json={"seq": 1}).raise_for_status()
    assert team.counts() == (0, 2, 0)
    [label] = team.labels()
    assert (label["retracted"], label["answers"]) == (False, 2)


def test_overlap_may_be_asked_of_a_share_of_the_samples(shared_on: Running) -> None:
    team = crew(shared_on, overlap=2, overlap_share=0.5)
    for value in range(60):
        team.post(value)
    assert 60 + 15 <= team.stats()["queries"]["asked"] <= 60 + 45


def test_a_label_outside_closed_classes_is_refused_before_it_is_counted(shared_on: Running) -> None:
    team = crew(shared_on)
    shared_on.client.patch(f"/v1/streams/{team.name}", json={"open_classes": False}).raise_for_status()
    team.post()
    [query] = team.people[0].lease()
    assert team.people[0].say(query, "new").status_code == 422
    assert team.counts() == (3, 0, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("overlap", 0), ("overlap", 11), ("overlap_share", 1.5), ("consensus", "loudest"), ("gold_share", 0.6)],
)
def test_a_policy_out_of_range_is_refused_with_where_it_stands(shared_on: Running, field: str, value: Any) -> None:
    body = {"name": "bad", "input": {"kind": "vector", "dim": 2}, "query": {field: value}}
    answer = shared_on.client.post("/v1/streams", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/query/{field}"
