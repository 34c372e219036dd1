from __future__ import annotations

import io

import numpy as np

from learner import build
from learner.exporting import PackedCommittee, c_encoding, c_header, pack
from tests.conftest import Running

PATH = "/v1/streams/s/committee"


def test_the_file_is_the_librarys_committee_of_the_same_log(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"], learner={"seed": 5, "hidden": [24]})
    learner = build({"kind": "vector", "dim": 2}, seed=5, hidden=(24,))
    state = learner.start(("a", "b"))
    for seq in range(1, 9):
        service_on.post([seq % 3, seq % 2], label="ab"[seq % 2])
        x = np.array([seq % 3, seq % 2], np.float32)
        state, _ = learner.learn(state, x, "ab"[seq % 2], seq=seq)
    service_on.settled()
    expected = pack(learner.network, state, members=4)
    answer = service_on.client.get(PATH, params={"members": 4}).raise_for_status()
    assert answer.headers["content-type"] == "application/zip"
    with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
        found = PackedCommittee.of_arrays(arrays)
    assert (found.classes, found.sizes, found.seq) == (expected.classes, expected.sizes, 8)
    assert all(np.array_equal(one, other) for one, other in zip(found.weights, expected.weights, strict=True))
    header = service_on.client.get(PATH, params={"members": 4, "format": "c"}).raise_for_status()
    assert header.text == "".join(c_header(expected, c_encoding(learner.encoder, state.encoder)))
    assert service_on.client.get(PATH, params={"members": 4}).content == answer.content


def test_a_stream_without_a_class_has_no_committee_yet(service: Running) -> None:
    service.stream()
    answer = service.client.get(PATH)
    assert answer.status_code == 409
    assert "knows no class yet" in answer.json()["detail"]


def test_a_network_with_gates_is_not_exported(service: Running) -> None:
    service.stream(classes=["a", "b"], learner={"seed": 7, "hidden": [8], "gate": "stochastic"})
    answer = service.client.get(PATH)
    assert answer.status_code == 409
    assert "gates" in answer.json()["detail"]
