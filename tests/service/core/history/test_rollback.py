"""Going back: the model, the labels, the classes and the queries are as they were, and nothing is gone."""

from __future__ import annotations

from learner.snapshot import state_hash
from tests.conftest import Running
from tests.service.core.by_hand import History
from tests.service.core.conftest import grown


def test_a_rollback_brings_back_the_state_of_then_and_takes_the_labels_since_back(past: History) -> None:
    ids = grown(past, 12)
    past.add_class("late")
    past.label((2, 2), "late")
    past.catch_up()
    answer = past.roll_back(7)
    assert answer["rolled_back_to"] == 7
    assert answer["labels_taken_back"] == 6
    past.agrees()
    then, now = past.expected(7), past.trainer._state
    assert (now.classes, now.counts) == (then.classes, then.counts)
    assert past.stream.classes == ["a", "b"]
    assert past.job(answer["job"])["state"] == "done"
    rows = {row.id: row for row in past.rows()}
    assert all(rows[label].retracted_at is None for label in ids[:7])
    assert all(rows[label].retracted_at is not None for label in ids[7:])


def test_a_rollback_can_itself_be_taken_back(past: History) -> None:
    grown(past, 10)
    before = past.trainer._state
    answer = past.roll_back(3)
    past.catch_up()
    past.roll_back(answer["seq"] - 1)
    past.agrees()
    assert past.trainer._state.counts == before.counts
    assert all(row.retracted_at is None for row in past.rows())


def test_a_retraction_and_a_correction_after_the_moment_are_undone(past: History) -> None:
    ids = grown(past, 6)
    past.retract(ids[1])
    past.correct(ids[2], "b")
    past.agrees()
    past.roll_back(6)
    past.agrees()
    rows = {row.id: row for row in past.rows()}
    assert rows[ids[1]].retracted_at is None
    assert rows[ids[2]].label == "a"
    assert state_hash(past.expected(6)) != state_hash(past.expected(8))


def test_a_label_is_corrected_only_while_its_correction_counts(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    ids = []
    for n in range(2):
        service_on.post([n, 1])
        ids.append(service_on.answer(service_on.lease()[0], "a")["label_id"])

    def revise(label_id: str, label: str) -> None:
        service_on.client.patch(f"/v1/labels/{label_id}", json={"label": label}).raise_for_status()

    def roll_back(seq: int) -> int:
        return service_on.client.post("/v1/streams/s:rollback", json={"seq": seq}).raise_for_status().json()["seq"]

    def labels() -> list[tuple[str, bool]]:
        items = service_on.client.get("/v1/streams/s/labels").json()["items"]
        return [(item["label"], item["corrected"]) for item in items]

    revise(ids[0], "b")
    for label in ("b", "a"):
        revise(ids[1], label)
    revised = labels()
    assert revised == [("b", True), ("a", True)]
    entry = roll_back(2)
    assert labels() == [("a", False), ("a", False)]
    roll_back(entry - 1)
    assert labels() == revised
    service_on.settled()


def test_over_http_queries_open_again_and_a_retry_changes_nothing_twice(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    for n in range(3):
        service_on.post([n, n])
        service_on.answer(service_on.lease()[0], "a")
    key = {"Idempotency-Key": "back"}
    path = "/v1/streams/s:rollback"
    first = service_on.client.post(path, json={"seq": 1}, headers=key)
    assert first.status_code == 200
    assert service_on.client.post(path, json={"seq": 1}, headers=key).json() == first.json()
    stats = service_on.settled()
    assert stats["log_seq"] == 4
    assert stats["labels"] == 1
    assert stats["queries"]["open"] == 2
    assert stats["queries"]["answered"] == 1
    assert len(service_on.lease(limit=5)) == 2
    beyond = service_on.client.post(path, json={"seq": 5})
    assert beyond.status_code == 422
    assert beyond.json()["errors"][0]["pointer"] == "/seq"


def test_a_sample_is_asked_of_the_model_of_any_moment(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    said = []
    for n in range(5):
        sent = service_on.post([1, 1], id=f"s{n}", label="ab"[n % 2])
        said.append(sent["prediction"])
        service_on.settled()
    for n in range(5):
        found = service_on.client.get("/v1/streams/s/samples/s0", params={"at": n}).json()["then"]
        assert found["model_version"] == n
        assert found["prediction"] == said[n]
    refused = service_on.client.get("/v1/streams/s/samples/s0", params={"at": 6})
    assert refused.status_code == 422
    assert "5" in refused.json()["detail"]
    service_on.client.post("/v1/streams/s:rollback", json={"seq": 2}).raise_for_status()
    service_on.settled()
    at = {"at": 4}  # what the model of then said stays what it said
    assert service_on.client.get("/v1/streams/s/samples/s0", params=at).json()["then"]["prediction"] == said[4]
