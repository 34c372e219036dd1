"""Texts and table rows go the same way as vectors and images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learner import BiMURule, build
from service.settings import Settings
from tests.conftest import Running, running

TEXTS = [("send money abroad", "transfer"), ("my card is lost", "card"), ("transfer to a friend", "transfer")]
ROWS: list[tuple[dict[str, Any], str]] = [
    ({"age": 31, "city": "Oslo"}, "a"),
    ({"age": 7.5}, "b"),
    ({"city": "Bergen", "age": None}, "a"),
]
KINDS = {
    "text": ({"kind": "text", "dim": 256}, TEXTS),
    "tabular": ({"kind": "tabular", "fields": {"age": "number", "city": "category"}, "buckets": 8}, ROWS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_service_says_equals_what_the_library_says_bit_for_bit(service_on: Running, kind: str) -> None:
    described, samples = KINDS[kind]
    service_on.stream(input=described, classes=["a", "b"], learner={"seed": 5, "hidden": [32]})
    learner = build(described, seed=5, hidden=(32,))
    state = learner.start(("a", "b"))
    for seq, (data, label) in enumerate(samples * 3, 1):
        sent = service_on.post(data, label=label)
        said = learner.scorer(state).predict(data)
        assert said is not None
        assert sent["prediction"]["probabilities"] == dict(said.probabilities)
        state, _info = learner.learn(state, data, label, seq=seq)
        service_on.settled()


def test_finer_codes_are_a_streams_own_choice_and_equal_the_librarys(service: Running) -> None:
    described = {"kind": "vector", "dim": 2, "levels": 15, "projection": 32}
    made = service.stream(input=described, classes=["a", "b"], learner={"seed": 5, "hidden": [16]})
    assert made["input"] == described
    learner = build(described, seed=5, hidden=(16,))
    state = learner.start(("a", "b"))
    for seq in range(1, 10):
        x, label = np.array([seq % 3, seq % 2], np.float32), "ab"[seq % 2]
        said = learner.scorer(state).predict(x)
        assert said is not None
        assert service.post(x.tolist(), label=label)["prediction"]["probabilities"] == dict(said.probabilities)
        state, _info = learner.learn(state, x, label, seq=seq)
        service.settled()


def test_a_projection_larger_than_a_network_may_be_is_refused(service: Running) -> None:
    body = {"name": "big", "input": {"kind": "vector", "dim": 3000, "levels": 1, "projection": 8192}}
    answer = service.client.post("/v1/streams", json=body | {"learner": {"hidden": []}})
    assert answer.status_code == 422
    assert "24,576,000 signs" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("setting", "form"),
    [
        ({"gate": "stochastic"}, {"gate": "stochastic"}),
        ({"gate": "sparse_code"}, {"gate": "sparse_code"}),
        ({"fixed_point": True}, {"fixed_point": True}),
        ({"pull_every": 2}, {"rule": BiMURule(pull_every=2)}),
    ],
    ids=str,
)
def test_a_network_of_another_form_says_what_the_library_says(
    service_on: Running, setting: dict[str, Any], form: dict[str, Any]
) -> None:
    described, samples = KINDS["tabular"]
    service_on.stream(input=described, classes=["a", "b"], learner={"seed": 5, "hidden": [32]} | setting)
    learner = build(described, seed=5, hidden=(32,), **form)
    state = learner.start(("a", "b"))
    for seq, (data, label) in enumerate(samples, 1):
        service_on.post(data, label=label)
        state, _info = learner.learn(state, data, label, seq=seq)
    service_on.settled()
    said = learner.scorer(state).predict(samples[0][0])
    assert said is not None
    assert service_on.post(samples[0][0])["prediction"]["probabilities"] == dict(said.probabilities)


@pytest.mark.parametrize("fixed_point", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_restart_changes_nothing(settings: Settings, kind: str, *, fixed_point: bool) -> None:
    described, samples = KINDS[kind]
    probe = samples[0][0]
    with running(settings) as service:
        service.stream(input=described, learner={"seed": 5, "hidden": [32], "fixed_point": fixed_point})
        for data, label in samples:
            service.post(data, label=label)
        service.settled()
        before = service.post(probe)["prediction"]
    with running(settings) as service:
        assert service.post(probe)["prediction"] == before


@pytest.mark.parametrize(
    ("kind", "data", "pointer"),
    [
        ("text", ["words"], "/data"),
        ("text", 3, "/data"),
        ("text", None, "/data"),
        ("tabular", [31, "Oslo"], "/data"),
        ("tabular", {"age": "old"}, "/data/age"),
        ("tabular", {"age": True}, "/data/age"),
        ("tabular", {"age": 1e300}, "/data/age"),
        ("tabular", {"city": 4}, "/data/city"),
        ("tabular", {"size": 4}, "/data/size"),
        ("tabular", {"a/b": 4}, "/data/a~1b"),
    ],
    ids=json.dumps,
)
def test_data_of_another_kind_is_refused_where_it_is_wrong(
    service: Running, kind: str, data: Any, pointer: str, tmp_path: Path
) -> None:
    service.stream(input=KINDS[kind][0])
    answer = service.client.post("/v1/streams/s/samples", json={"data": data})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    service.post(KINDS[kind][1][0][0])


def test_many_classes_of_texts_are_remembered_once_each(service: Running) -> None:
    service.stream(input={"kind": "text"}, classes=[f"intent {n}" for n in range(77)])
    assert service.post("where is my card")["prediction"] is not None
