"""Gold over HTTP: shown like any query, never learned, and what it says of whoever answers."""

from __future__ import annotations

from typing import Any

import pytest

from service.core.access import Role
from tests.conftest import Running
from tests.service.core.labels.crew import Crew, Person, crew, person


def golden(service: Running, count: int = 3, share: float = 0.5, **query: Any) -> Crew:
    """Return a stream of which `count` samples are gold, labelled 'a', and enough others to be asked of."""
    team = crew(service, 2, **{"overlap": 1, "gold_share": share} | query)
    for value in range(count):
        body = {"data": [value, 1.0], "label": "a"}
        service.client.post(f"/v1/streams/{team.name}/gold", json=body).raise_for_status()
    for value in range(60):
        team.post(value)
    return team


def marked(team: Crew) -> dict[str, dict[str, Any]]:
    items = team.service.client.get(f"/v1/streams/{team.name}/gold").raise_for_status().json()["items"]
    return {item["sample_id"]: item for item in items}


def lease_gold(team: Crew, who: Person) -> dict[str, Any]:
    """Lease and release until gold comes."""
    known = marked(team)
    for _ in range(200):
        [query] = who.lease(1)
        if query["sample_id"] in known:
            return query
        who("POST", f"/v1/queries/{query['id']}:release", {"lease_token": query["lease"]["token"]})
    raise AssertionError("no gold came")


def test_gold_comes_at_its_share_and_looks_like_any_other_query(shared_on: Running) -> None:
    team = golden(shared_on, 40)
    known, seen = marked(team), []
    for _ in range(6):
        seen += team.people[0].lease(10)
    shapes = {frozenset(query) for query in seen}
    assert len(shapes) == 1
    assert {query["reason"] for query in seen} == {"exploration"}
    assert all(query["id"].startswith("q_") and query["sample_id"].startswith("s_") for query in seen)
    assert 10 <= sum(query["sample_id"] in known for query in seen) <= 50


def test_without_a_share_there_is_no_gold(shared_on: Running) -> None:
    team = golden(shared_on, 3, share=0.0)
    assert {query["sample_id"] for query in team.people[0].lease(10)} & set(marked(team)) == set()


def test_no_gold_comes_twice_before_all_was_seen(shared_on: Running) -> None:
    team = golden(shared_on, 4)
    known, ada = marked(team), team.people[0]
    seen: list[str] = []
    while len(seen) < 8:
        query = lease_gold(team, ada)
        ada.say(query, "a")
        seen.append(query["sample_id"])
    assert set(seen[:4]) == set(seen[4:]) == set(known)


def test_gold_that_was_given_back_comes_to_the_same_person_again(shared_on: Running) -> None:
    team = golden(shared_on, 2)
    ada = team.people[0]
    first = lease_gold(team, ada)
    held = {"lease_token": first["lease"]["token"]}
    assert ada("POST", f"/v1/queries/{first['id']}:heartbeat", held).status_code == 200
    for _ in range(2):
        assert ada("POST", f"/v1/queries/{first['id']}:release", held).status_code == 204
    assert ada("POST", f"/v1/queries/{first['id']}:heartbeat", held).status_code == 410
    assert lease_gold(team, ada)["id"] == first["id"]


def test_an_answer_to_gold_is_judged_and_not_learned(shared_on: Running) -> None:
    team = golden(shared_on)
    ada, ben = team.people
    before = team.stats()
    right, wrong = lease_gold(team, ada), lease_gold(team, ben)
    said = ada.say(right, "a")
    assert set(said.json()) == {"label_id", "seq"}
    assert ada.say(right, "a").json() == said.json()
    assert ada.say(right, "b").status_code == 409
    ben.say(wrong, "b")
    after = team.stats()
    for part in ("labels", "log_seq", "model_version", "accuracy"):
        assert after[part] == before[part]
    assert after["queries"]["answered"] == 0
    assert team.labels() == []
    path = f"/v1/streams/{team.name}/labels?source=gold"
    answers = shared_on.client.get(path).raise_for_status().json()["items"]
    assert [(one["label"], one["right"], one["source"], one["seq"]) for one in answers] == [
        ("a", "a", "gold", None),
        ("b", "a", "gold", None),
    ]
    people = {one["id"]: one for one in report(team)["items"]}
    assert people[ada.id]["gold"]["estimate"] == 1.0
    assert people[ben.id]["gold"]["estimate"] == 0.0
    assert people[ben.id]["reliability"] < 0.8 < people[ada.id]["reliability"]


def test_an_answer_to_gold_is_taken_back_like_any_other(shared_on: Running) -> None:
    team = golden(shared_on)
    ada, ben = team.people
    query = lease_gold(team, ada)
    label_id = ada.say(query, "b").json()["label_id"]
    assert ben("DELETE", f"/v1/labels/{label_id}").status_code == 403
    back = ada("DELETE", f"/v1/labels/{label_id}").json()
    assert back["query"]["id"] == query["id"]
    [known] = report(team)["items"]
    assert (known["gold"]["answers"], known["reliability"]) == (0, pytest.approx(0.8))
    again = ada.say(back["query"], "a").json()
    assert ada("POST", f"/v1/queries/{query['id']}:retract").json()["label_id"] == again["label_id"]


def test_a_skipped_gold_query_has_ended(shared_on: Running) -> None:
    team = golden(shared_on, 1)
    ada = team.people[0]
    query = lease_gold(team, ada)
    for _ in range(2):
        ada.skip(query, "unclear")
    assert ada.say(query, "a").status_code == 410


def test_with_overlap_an_answer_to_gold_is_told_what_most_are(shared_on: Running) -> None:
    team = golden(shared_on, overlap=3)
    query = lease_gold(team, team.people[0])
    assert team.people[0].say(query, "a").json() == {"label_id": None, "seq": None, "pending": True}


def test_a_sample_that_came_before_can_be_gold_once(shared_on: Running) -> None:
    team = golden(shared_on, 0)
    sample = team.post(7.0)
    path = f"/v1/streams/{team.name}/gold"
    made = shared_on.client.post(path, json={"sample_id": sample["id"], "label": "b"})
    assert made.status_code == 201
    again = shared_on.client.post(path, json={"sample_id": sample["id"], "label": "b"})
    assert again.json() == made.json()
    other = shared_on.client.post(path, json={"sample_id": sample["id"], "label": "c"})
    assert other.status_code == 409
    ada = team.people[0]
    query = lease_gold(team, ada)
    assert query["data"] == [7.0, 0.0]
    ada.say(query, "b")
    [item] = marked(team).values()
    assert (item["answers"], item["right"]) == (1, 1)
    assert shared_on.client.delete(f"{path}/{made.json()['id']}").status_code == 204
    assert marked(team) == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"label": "a"}, 422),
        ({"label": "a", "data": [1.0, 2.0], "sample_id": "s"}, 422),
        ({"label": "a", "data": [1.0]}, 422),
        ({"label": "a", "sample_id": "unknown"}, 404),
        ({"data": [1.0, 2.0]}, 422),
    ],
)
def test_what_cannot_be_gold_is_refused(shared_on: Running, body: dict[str, Any], status: int) -> None:
    team = crew(shared_on, 1)
    answer = shared_on.client.post(f"/v1/streams/{team.name}/gold", json=body)
    assert answer.status_code == status
    assert shared_on.client.delete(f"/v1/streams/{team.name}/gold/g_0").status_code == 404


def test_annotators_never_see_gold_or_each_other(shared_on: Running) -> None:
    team = golden(shared_on, 1)
    ada = team.people[0]
    assert ada("GET", f"/v1/streams/{team.name}/gold").status_code == 403
    assert ada("GET", f"/v1/streams/{team.name}/annotators").status_code == 403
    assert ada("POST", f"/v1/streams/{team.name}/gold", {"data": [1.0, 2.0], "label": "a"}).status_code == 403
    assert ada("GET", f"/v1/streams/{team.name}/labels?source=gold").status_code == 403


def report(team: Crew) -> dict[str, Any]:
    boss = person(team.service, team.name, Role.OPERATOR)
    found = boss("GET", f"/v1/streams/{team.name}/annotators")
    assert found.status_code == 200, found.text
    return dict(found.json())


def test_the_report_tells_of_each_person_and_how_far_they_agree(shared_on: Running) -> None:
    team = crew(shared_on, 3)
    odd, *_others = [team.post(value)["id"] for value in range(4)]
    ada, ben, eve = team.people
    for query in ada.lease():
        ada.say(query, "a")
    for query in eve.lease():
        if query["sample_id"] == odd:
            eve.say(query, "a")
    for query in ben.lease():
        ben.say(query, "a")
    found = report(team)
    known = {one["id"]: one for one in found["items"]}
    assert (known[ada.id]["answers"], known[ben.id]["answers"], known[eve.id]["answers"]) == (4, 3, 1)
    assert known[ada.id]["median_duration_ms"] == 1000
    assert (known[ada.id]["agreement"]["estimate"], known[ada.id]["agreement"]["answers"]) == (1.0, 4)
    assert known[ada.id]["reliability"] > 0.8
    assert found["agreement"]["samples"] == 4
    assert found["agreement"]["percent"] == 1.0
