"""The accuracy that a stream reports: over all samples, lately, of each class, over time, and against its cost."""

from __future__ import annotations

import pytest

from service.storage import samples, streams
from tests.conftest import Running, eventually


def fill(service: Running) -> None:
    """Post samples with their truth, of which every tenth is called by a name that the model cannot know."""
    service.stream(classes=["left", "right"], query={"budget": 0.0, "warmup_labels": 0})
    for n in range(60):
        side = ("left", "right")[n % 2]
        service.post([2.0 * (n % 2) - 1.0, 1.0], label="right" if n % 10 == 8 else side)
        service.settled()


def test_truths_that_come_with_samples_make_the_accuracy_exact(service: Running) -> None:
    fill(service)
    told = service.stats()["accuracy"]
    assert told["labels"] == 60
    assert told["covered"] == 1.0
    assert told["low"] == told["high"] == told["estimate"]
    assert told["anytime_low"] <= told["estimate"] <= told["anytime_high"]
    assert told["window"]["estimate"] == told["estimate"]
    assert set(told["classes"]) == {"left", "right"}
    assert told["classes"]["left"]["labels"] + told["classes"]["right"]["labels"] == 60
    assert 0.5 < told["classes"]["right"]["recall"]["estimate"] < 1.0


def test_samples_that_could_not_be_asked_are_not_covered_until_truths_come(service: Running) -> None:
    fill(service)
    for n in range(20):
        service.post([1.0, 1.0], id=f"u{n}")
    told = service.stats()["accuracy"]
    assert told["covered"] == 0.75
    for n in range(10):
        service.client.post("/v1/streams/s/labels", json={"sample_id": f"u{n}", "label": "right"}).raise_for_status()
    told = service.stats()["accuracy"]
    assert told["covered"] == 1.0
    assert told["low"] < told["estimate"]


def test_truths_of_the_first_samples_do_not_speak_for_those_of_a_model_that_has_learned_them(service: Running) -> None:
    """Whoever has labelled samples from before posts them all, and then their labels."""
    service.stream(classes=["left", "right"], query={"budget": 0.3, "warmup_labels": 0})
    sides, right = ("left", "right"), []
    for n in range(160):
        if n == 80:
            for old in range(80):
                truth = {"sample_id": f"n{old}", "label": sides[old % 2]}
                service.client.post("/v1/streams/s/labels", json=truth).raise_for_status()
            service.settled()
        said = service.post([2.0 * (n % 2) - 1.0, 1.0], id=f"n{n}")["prediction"]["label"]
        right.append(said == sides[n % 2])
    while found := service.lease():
        service.answer(found[0], sides[int(found[0]["sample_id"][1:]) % 2])
    share, told = sum(right) / 160, service.stats()["accuracy"]
    assert sum(right[:80]) <= 40
    assert sum(right[80:]) >= 75
    assert told["low"] <= share <= told["high"]
    assert told["covered"] == 1.0


def test_the_series_ends_where_the_figures_stand_and_the_cost_curve_adds_up(service: Running) -> None:
    fill(service)
    told = service.stats()["accuracy"]
    series = service.client.get("/v1/streams/s/timeseries", params={"metric": "accuracy"}).json()["points"]
    assert series[-1]["value"] == told["estimate"]
    curve = service.client.get("/v1/streams/s/cost-curve", params={"points": 5}).raise_for_status().json()["points"]
    assert [point["labels"] for point in curve] == sorted({point["labels"] for point in curve})
    assert curve[-1]["labels"] == 60
    assert curve[-1]["samples"] == 60
    assert 1 <= len(curve) <= 5
    assert all(point["low"] <= point["value"] <= point["high"] for point in curve)


def test_a_few_labels_are_one_point_of_the_cost_curve_that_says_what_the_figures_say(service: Running) -> None:
    service.stream(classes=["left", "right"], query={"budget": 1.0, "warmup_labels": 100})
    for n in range(5):
        service.post([2.0 * (n % 2) - 1.0, 1.0])
    for n in range(4):
        [query] = service.lease()
        service.answer(query, ("left", "right")[n % 2])
        service.settled()
    told = service.stats()["accuracy"]
    [point] = service.client.get("/v1/streams/s/cost-curve").raise_for_status().json()["points"]
    assert point == {"labels": 4, "samples": 5, "value": told["estimate"], "low": told["low"], "high": told["high"]}


def test_drift_shows_in_the_figures_and_as_events(service: Running) -> None:
    service.stream(classes=["left", "right"], query={"budget": 0.0, "warmup_labels": 0})
    batch = [{"data": [2.0 * (n % 2) - 1.0, 1.0], "label": ("left", "right")[n % 2]} for n in range(150)]
    turned = [{"data": [2.0 * (n % 2) - 1.0, 1.0], "label": ("right", "left")[n % 2]} for n in range(150)]
    for sent in (batch, batch, turned):
        service.client.post("/v1/streams/s/samples:batch", json={"samples": sent}).raise_for_status()
        service.settled()
    alarms = eventually(lambda: service.stats()["drift"], bool)
    assert alarms[0]["kind"] == "error"
    assert alarms[0]["after"] > alarms[0]["before"]
    assert set(alarms[0]) == {"kind", "before", "after", "values", "at"}


def test_after_drift_more_is_asked_at_random_for_a_while(service: Running) -> None:
    policy = {"budget": 0.2, "exploration": 0.1, "warmup_labels": 0, "drift_exploration": 4.0, "drift_samples": 3}
    service.stream(classes=["left", "right"], query=policy)
    known = [{"data": [2.0 * (n % 2) - 1.0, 1.0], "label": ("left", "right")[n % 2]} for n in range(150)]
    service.client.post("/v1/streams/s/samples:batch", json={"samples": known}).raise_for_status()
    service.settled()
    stream = service.parts.db.read_now(lambda c: streams.by_name(c, "s"))
    assert stream is not None
    service.post([1.0, 1.0], id="before")
    service.parts.db.write_now(lambda c: streams.explore_more(c, stream.id, 3))
    for n in range(4):
        service.post([1.0, 1.0], id=f"s{n}")
    found = service.parts.db.read_now(lambda c: samples.known(c, stream.id, ["before", "s0", "s2", "s3"]))
    least = {name: row.propensity for name, row in found.items()}
    assert least == pytest.approx({"before": 0.02, "s0": 0.08, "s2": 0.08, "s3": 0.02})
