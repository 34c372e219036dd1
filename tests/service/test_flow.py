"""The way of one sample: posted, asked, answered, learned."""

from __future__ import annotations

from tests.conftest import Running, eventually


def test_a_sample_without_known_classes_is_asked_and_its_answer_makes_the_first_class(service_on: Running) -> None:
    service_on.stream()
    first = service_on.post([1.0, 2.0], id="a")
    assert first["prediction"] is None
    assert first["model_version"] == 0
    assert first["query"]["reason"] == "novel"
    [query] = service_on.lease()
    assert query["sample_id"] == "a"
    assert service_on.answer(query, "left")["seq"] == 1
    service_on.settled()
    second = service_on.post([1.0, 2.0])
    assert second["prediction"]["label"] == "left"
    assert second["model_version"] == 1
    assert service_on.client.get("/v1/streams/s").json()["classes"] == ["left"]


def test_the_same_sample_id_answers_the_first_response_unchanged(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    first = service_on.post([1, 2], id="x")
    service_on.post([3, 4], label="b")
    service_on.settled()
    assert service_on.post([9, 9], id="x") == first
    assert service_on.stats()["samples"] == 2


def test_a_label_taken_back_leaves_the_model_as_if_it_had_never_come(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    for n in range(6):
        service_on.post([n, -n], id=f"s{n}", label="ab"[n % 2])
    service_on.post([0.5, 0.5], id="probe")
    before = service_on.settled()

    def now() -> dict[str, object]:
        return service_on.client.get("/v1/streams/s/samples/probe", params={"at": "now"}).json()["now"]["prediction"]

    clean = now()
    service_on.post([5, 5], id="wrong", label="a")
    service_on.settled()
    assert now() != clean
    labels = service_on.client.get("/v1/streams/s/labels").json()["items"]
    [wrong] = [label for label in labels if label["sample_id"] == "wrong"]
    taken = service_on.client.delete(f"/v1/labels/{wrong['label_id']}").json()
    assert taken["retracted"] is True
    after = service_on.settled()
    assert after["log_seq"] == before["log_seq"] + 2
    assert now() == clean


def test_undo_gives_the_query_back_to_whoever_answered_it(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    service_on.post([1, 2])
    [query] = service_on.lease()
    label = service_on.answer(query, "a")
    undone = service_on.client.delete(f"/v1/labels/{label['label_id']}").json()
    assert undone["query"]["id"] == query["id"]
    again = service_on.answer(query | undone["query"], "b")
    assert again["seq"] == 3
    assert service_on.settled()["health"]["classes"] == {"a": 0, "b": 1}


def test_events_tell_the_way_of_a_sample_and_resume_where_they_broke_off(service: Running) -> None:
    service.stream(classes=["a", "b"])
    service.post([1, 2], id="x")
    [query] = service.lease()
    service.answer(query, "a")
    service.settled()

    def listen(last: str) -> list[tuple[str, str]]:
        found, event_id = [], ""
        with service.client.stream("GET", "/v1/streams/s/events", headers={"Last-Event-ID": last}) as stream:
            for line in stream.iter_lines():
                if line.startswith("id: "):
                    event_id = line[4:]
                if line.startswith("event: "):
                    found.append((event_id, line[7:]))
                    if line == "event: update":
                        return found
        return found

    told = listen("0")
    assert [kind for _, kind in told] == ["prediction", "query", "label", "update"]
    assert [kind for _, kind in listen(told[1][0])] == ["label", "update"]


def test_accuracy_and_rates_are_counted_from_the_prediction_before_learning(service: Running) -> None:
    service.stream(classes=["a", "b"], query={"warmup_labels": 2, "budget": 0.0})
    for n in range(4):
        service.post([n, 1], label="a" if n % 2 else "b")
    stats = service.settled()
    assert stats["samples"] == 4
    assert stats["labels"] == 4
    assert stats["queries"]["asked"] == 0
    assert stats["accuracy"]["labels"] == 4
    assert stats["accuracy"]["low"] <= stats["accuracy"]["estimate"] <= stats["accuracy"]["high"]
    plot = service.client.get("/v1/streams/s/timeseries", params={"metric": "accuracy"}).json()
    assert plot["points"][-1]["value"] == stats["accuracy"]["estimate"]
    eventually(lambda: service.stats()["snapshot"], lambda found: found is None or found["seq"] <= 4)
