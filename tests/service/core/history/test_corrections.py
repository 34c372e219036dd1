"""A label corrected or taken back: the model becomes what it would have been, and whoever asked can follow it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from learner.snapshot import state_hash
from service.core.models.rebuilding import Rebuild
from tests.conftest import Running, eventually
from tests.service.core.by_hand import History, history
from tests.service.core.conftest import grown


def done(service: Running, answer: dict[str, Any]) -> dict[str, Any]:
    job = answer["job"]
    assert job["kind"] == "rebuild"
    assert job["seq"] == answer["seq"]
    look = lambda: service.client.get(f"/v1/jobs/{job['id']}").raise_for_status().json()  # noqa: E731
    return eventually(look, lambda found: found["state"] == "done")


def test_a_corrected_label_counts_as_if_it_had_been_right_from_the_beginning(service_on: Running) -> None:
    def fed(name: str, labels: str) -> list[str]:
        service_on.stream(name, classes=["a", "b"])
        for n, label in enumerate(labels):
            service_on.post([n, -n], name, id=f"s{n}", label=label)
        found = service_on.client.get(f"/v1/streams/{name}/labels").json()["items"]
        return [item["label_id"] for item in found]

    def says(name: str) -> Any:
        service_on.settled(name)
        at = {"at": "now"}
        return service_on.client.get(f"/v1/streams/{name}/samples/s5", params=at).json()["now"]["prediction"]

    ids = fed("wrong", "abbbab")
    fed("right", "ababab")
    assert says("wrong") != says("right")
    answer = service_on.client.patch(f"/v1/labels/{ids[2]}", json={"label": "a"}).raise_for_status().json()
    assert answer["label_id"] == ids[2]
    assert answer["label"] == "a"
    job = done(service_on, answer)
    assert job["done"] == job["total"]
    assert job["started_at"]
    assert job["finished_at"]
    assert says("wrong") == says("right")
    [item] = [i for i in service_on.client.get("/v1/streams/wrong/labels").json()["items"] if i["label_id"] == ids[2]]
    assert item["label"] == "a"
    assert item["corrected"] is True
    assert item["seq"] == 3
    again = service_on.client.patch(f"/v1/labels/{ids[2]}", json={"label": "a"}).json()
    assert again["seq"] == answer["seq"]
    assert again["job"]["id"] == answer["job"]["id"]
    assert service_on.stats("wrong")["log_seq"] == 7


def test_a_correction_is_counted_as_right_or_wrong_anew(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    service_on.post([1, 2], id="x", label="a")
    service_on.settled()
    said = service_on.post([1, 2], id="y", label="b")["prediction"]["label"]
    [_, label] = service_on.client.get("/v1/streams/s/labels").json()["items"]
    before = service_on.stats()["accuracy"]
    assert service_on.client.patch(f"/v1/labels/{label['label_id']}", json={"label": said}).status_code == 200
    after = service_on.stats()["accuracy"]
    assert after["labels"] == before["labels"]
    if said != "b":
        assert after["estimate"] > before["estimate"]


def test_a_correction_may_name_a_new_class_and_ends_one_that_nobody_names_any_more(service_on: Running) -> None:
    service_on.stream(classes=["a"])
    service_on.post([1, 2], id="x", label="slip")
    [label] = service_on.client.get("/v1/streams/s/labels").json()["items"]
    service_on.client.patch(f"/v1/labels/{label['label_id']}", json={"label": "b"}).raise_for_status()
    assert service_on.client.get("/v1/streams/s").json()["classes"] == ["a", "b"]
    assert service_on.settled()["health"]["classes"] == {"a": 0, "b": 1}


def test_what_cannot_be_corrected_is_refused_with_its_reason(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"], open_classes=False)
    service_on.post([1, 2])
    label = service_on.answer(service_on.lease()[0], "a")["label_id"]
    path = f"/v1/labels/{label}"
    client = service_on.client
    assert client.patch("/v1/labels/l_no", json={"label": "a"}).status_code == 404
    closed = client.patch(path, json={"label": "c"})
    assert closed.status_code == 422
    assert closed.json()["errors"][0]["pointer"] == "/label"
    with service_on.as_role("annotator") as another:
        refused = another.patch(path, json={"label": "b"})
        assert refused.status_code == 403
        assert "own" in refused.json()["detail"]
    assert client.delete(path).json()["job"]["kind"] == "rebuild"
    gone = client.patch(path, json={"label": "b"})
    assert gone.status_code == 409
    assert "taken back" in gone.json()["detail"]
    assert client.get("/v1/jobs/j_no").status_code == 404


def test_taking_back_answers_its_job_the_second_time_too(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    service_on.post([1, 2], label="a")
    [label] = service_on.client.get("/v1/streams/s/labels").json()["items"]
    first = service_on.client.delete(f"/v1/labels/{label['label_id']}").json()
    done(service_on, first)
    second = service_on.client.delete(f"/v1/labels/{label['label_id']}").json()
    assert second["job"]["id"] == first["job"]["id"]
    assert service_on.stats()["log_seq"] == 2


def test_several_retractions_that_wait_together_are_rebuilt_once_and_scoring_goes_on(past: History) -> None:
    ids = grown(past, 80)
    parts, before = past.parts, past.trainer._state
    answers = [past.retract(ids[n]) for n in (3, 40, 7)]
    rounds = 0
    while past.trainer.advance():
        rounds += 1
        if parts.models.state(past.stream).seq == before.seq:
            # The old version whole, until the new one is there whole.
            assert parts.models.state(past.stream) is before
            assert {past.job(answer["job"])["state"] for answer in answers} <= {"queued", "running"}
    assert rounds >= 2
    assert parts.metrics.rebuilds.labels("s")._value.get() == 1
    assert {past.job(answer["job"])["state"] for answer in answers} == {"done"}
    past.agrees()


def test_figures_tell_of_the_rebuild_that_comes_first(past: History) -> None:
    ids = grown(past, 80)
    assert past.figures()["rebuild"] is None
    first = past.retract(ids[0])["job"]
    assert past.figures()["rebuild"] == past.job(first)
    past.trainer.advance()
    past.trainer.advance()
    later = past.retract(ids[1])["job"]
    told = past.figures()["rebuild"]
    assert told["id"] == first["id"]
    assert told["state"] == "running"
    while past.job(first)["state"] != "done":
        past.trainer.advance()
    assert past.figures()["rebuild"] == past.job(later)
    past.catch_up()
    assert past.figures()["rebuild"] is None


def test_labels_that_arrive_during_a_rebuild_are_learned_after_it(past: History) -> None:
    ids = grown(past, 80)
    past.retract(ids[0])
    assert past.trainer.advance()
    assert past.trainer._rebuild is not None
    past.label((1, 1), "b")
    past.agrees()


def test_a_rebuild_that_a_crash_broke_off_goes_on_from_where_it_was_stored(past: History) -> None:
    ids = grown(past, 80)
    answer = past.retract(ids[0])
    past.trainer.advance()
    past.trainer.advance()
    job = past.job(answer["job"])
    assert job["state"] == "running"
    assert 0 < job["done"] < job["total"] == 81
    assert past.figures()["rebuild"] == job
    past.restart()
    assert past.trainer._state.seq == 80  # scoring goes on with the version before
    past.agrees()
    ended = past.job(answer["job"])
    assert ended["state"] == "done"
    assert ended["total"] == 81 - job["done"]


def test_a_failed_rebuild_says_why_and_is_tried_again(past: History, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = grown(past, 8)
    answer = past.retract(ids[1])
    with monkeypatch.context() as broken:
        broken.setattr(Rebuild, "go_on", _breaks)
        with pytest.raises(OSError, match="no space"):
            past.trainer.advance()
    job = past.job(answer["job"])
    assert job["state"] == "failed"
    assert job["error"] == "no space"
    assert past.figures()["rebuild"] == job
    past.agrees()
    assert past.figures()["rebuild"] is None
    job = past.job(answer["job"])
    assert job["state"] == "done"
    assert job["error"] is None


def _breaks(*_: Any) -> None:
    raise OSError("no space")


def test_an_undo_of_one_of_the_last_labels_starts_from_a_state_in_memory(tmp_path: Path) -> None:
    with history(tmp_path, snapshot_every=1000) as past:
        ids = grown(past, 40)
        answer = past.retract(ids[-2])
        past.agrees()
        assert past.job(answer["job"])["total"] == 3  # not 41


def test_a_label_taken_back_before_it_was_learned_is_never_learned(database_url: str, tmp_path: Path) -> None:
    with history(tmp_path, database_url, learn_after_seconds=2) as past:
        grown(past, 3)
        wrong = past.ask_and_answer((1, 2), "a")
        past.catch_up()
        assert past.trainer._state.seq == 3  # an answer waits
        past.label((2, 2), "b")
        past.catch_up()
        assert past.trainer._state.seq == 3  # and what follows it keeps its order
        answer = past.retract(wrong)
        past.agrees()
        assert past.trainer._state.seq == 6
        assert past.job(answer["job"])["total"] == 3
        noted = past.parts.metrics.updates.labels("s")._value.get()
        assert noted == 4  # three and the truth, not the answer
        past.ask_and_answer((0, 1), "b")
        past.catch_up()
        assert past.trainer._state.seq == 6
        past.parts.clock.pass_seconds(2.5)  # type: ignore[attr-defined]
        past.agrees()
        assert past.trainer._state.seq == 7


def test_a_service_that_ends_learns_what_waits(tmp_path: Path) -> None:
    with history(tmp_path, learn_after_seconds=60) as past:
        past.ask_and_answer((1, 2), "a")
        assert past.catch_up().seq == 0
        past.parts.stopping.set()
        assert past.catch_up().seq == 1


def test_the_state_after_each_entry_stays_what_it_was(past: History) -> None:
    ids = grown(past, 10)
    then = state_hash(past.trainer._state)
    past.retract(ids[2])
    past.correct(ids[5], "a")
    past.agrees()
    assert state_hash(past.expected(10)) == then
    scorer = past.parts.past.scorer(past.stream, 10)
    assert scorer.seq == 10
    assert past.parts.past.scorer(past.stream, 10) is scorer
