"""The service equals the library: the same samples and labels give the same probabilities, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from learner import build
from learner.encoders import Input
from tests.conftest import Running

COUNT = 60


@pytest.mark.parametrize("kind", ["image", "vector"])
def test_probabilities_over_http_equal_those_in_process_bit_for_bit(service_on: Running, kind: str) -> None:
    digits = load_digits()
    pixels = np.rint(digits.images[:COUNT] * (255 / 16)).astype(np.uint8)
    described = {"kind": "image", "width": 8, "height": 8, "channels": 1}
    if kind == "vector":
        described = {"kind": "vector", "dim": 64}
    inputs: list[Input] = [image[:, :, None] for image in pixels]
    if kind == "vector":
        inputs = [(row / np.float32(3)).astype(np.float32) for row in digits.data[:COUNT]]
    classes = tuple("01234")
    service_on.stream(input=described, classes=list(classes), learner={"seed": 11}, query={"budget": 0.0})
    learner = build(described, seed=11)
    state = learner.start(classes)
    for index, x in enumerate(inputs):
        label = str(digits.target[index])
        data = (x[:, :, 0] if kind == "image" else x).tolist()
        sent = service_on.post(data, id=f"d{index}")
        said = learner.scorer(state).predict(x)
        assert said is not None
        assert sent["model_version"] == state.seq
        assert sent["prediction"]["probabilities"] == said.probabilities
        assert sent["uncertainty"]["predictive_entropy"] == said.predictive_entropy
        if index % 2:
            service_on.client.post(
                "/v1/streams/s/labels", json={"sample_id": f"d{index}", "label": label}
            ).raise_for_status()
            state, _info = learner.learn(state, x, label, seq=state.seq + 1)
            service_on.settled()
    batch = [{"data": (x[:, :, 0] if kind == "image" else x).tolist()} for x in inputs]
    answers = service_on.client.post("/v1/streams/s/samples:batch", json={"samples": batch}).json()["results"]
    scorer = learner.scorer(state)
    for answer, x in zip(answers, inputs, strict=True):
        said = scorer.predict(x)
        assert said is not None
        assert answer["prediction"]["probabilities"] == said.probabilities
