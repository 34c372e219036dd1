"""Wrong arguments of the library are refused with a reason, before any kernel reads what is not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from learner import BiMU, BiMURule, EngramClassifier, build
from learner.encoders import ImageEncoder, TabularEncoder, VectorEncoder
from learner.exporting import pack
from learner.memory.fusion import Fusion
from learner.snapshot import BadSnapshotError, dump, restore
from learner.synapses.bimu import bimu_delta

NETWORK = BiMU(features=2, hidden=(4,), seed=1)
LAYERS = NETWORK.grow(NETWORK.start(0), 2)
FIXED = BiMU(features=2, hidden=(4,), seed=1, fixed_point=True)
VECTOR: dict[str, Any] = {"kind": "vector", "dim": 2}
LEARNER, GATED, TABLE = build(VECTOR), build(VECTOR, gate="sparse_code"), TabularEncoder({"x": "number"})


def learn(y: list[int], rows: int = 1, features: int = 2, weights: list[float] | None = None) -> Callable[[], Any]:
    weighing = None if weights is None else torch.tensor(weights)
    x = torch.ones(rows, features)
    return lambda: NETWORK.learn(LAYERS, x, torch.tensor(y), counter=1, weights=weighing)


def dumped(**header: Any) -> bytes:
    data = dump(build(VECTOR, hidden=(4,)).start(("a", "b")))
    length = int.from_bytes(data[:8], "little")
    whole = json.loads(data[8 : 8 + length])
    whole["__metadata__"]["engram"] = json.dumps(header.get("instead", {**json.loads(whole["__metadata__"]["engram"])}))
    text = json.dumps(whole).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (learn([0], rows=4), r"y must be \[4\], a class index for each input, got \(1,\)"),
        (learn([-1]), "y must be in 0 … 1, got -1"),
        (learn([7]), "y must be in 0 … 1, got 7"),
        (learn([0, 2], rows=2), "y must be in 0 … 1, got 2"),
        (learn([0], features=3), r"x must be \[B, 2\], got \(1, 3\)"),
        (learn([0, 1], rows=2, weights=[1.0]), r"weights must be \[2\], each >= 0"),
        (learn([0], weights=[-1.0]), r"weights must be \[1\], each >= 0"),
        (lambda: NETWORK.learn_each(LAYERS, torch.ones(4, 2), torch.tensor([0]), counter=1), r"y must be \[4\]"),
        (lambda: NETWORK.committee(FIXED.grow(FIXED.start(0), 2)), "fixed_point must be True for this state"),
        (lambda: FIXED.committee(LAYERS), "fixed_point must be False for this state"),
        (lambda: BiMU(2, seed=1.5), "seed must be in"),  # type: ignore[arg-type]
        (lambda: BiMURule(lr_max=2.0, pull_every=6000), "pull_every must be at most 646 with these constants"),
        (
            lambda: bimu_delta(
                torch.ones(1), torch.ones(1), lr=1, lr_max=0, likelihood_multiplier=1, kl_multiplier=1, memory_window=9
            ),
            "lr_max and memory_window must be > 0",
        ),
        (lambda: VectorEncoder(2).learn(VectorEncoder(2).start(), np.ones(1, np.float32)), "must have 2 numbers"),
        (lambda: VectorEncoder(2).encode(VectorEncoder(2).start(), np.ones(3, np.float32)), "must have 2 numbers"),
        (lambda: VectorEncoder(1).learn(VectorEncoder(1).start(), np.array([np.nan], np.float32)), "finite numbers"),
        (lambda: ImageEncoder(2, 2, 1).encode((), np.zeros((3, 2, 1), np.uint8)), "must have 4 values, got 6"),
        (lambda: TABLE.learn(TABLE.start(), {"x": 1e200}), "x must be a number within"),
        (lambda: TABLE.encode(TABLE.start(), {"x": 10**400}), "x must be a number within"),
        (lambda: Fusion(floor=0.2).start(5), "floor must be <= 1/6 with 5 experts and a pool"),
        (lambda: build(VECTOR, components=0), "components must be >= 1, got 0"),
        (lambda: LEARNER.start(("a", "a")), "classes must be named once each"),
        (
            lambda: LEARNER.add_class(LEARNER.add_class(LEARNER.start(), "a", seq=5), "b", seq=1),
            "seq must be",
        ),
        (lambda: pack(GATED.network, GATED.start(("a", "b"))), "gate must be 'none' to be packed"),
        (lambda: EngramClassifier(random_state=-1).fit([[1.0], [2.0]], [0, 1]), "random_state must be an integer"),
        (
            lambda: EngramClassifier(hidden=(4,)).partial_fit([[1.0], [2.0]], [0, 1]).partial_fit([[1.0]], ["b"]),
            "classes must be of one kind, like 0, got 'b'",
        ),
    ],
)
def test_a_wrong_argument_is_refused_with_a_reason(call: Callable[[], Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        call()


@pytest.mark.parametrize("instead", [[], {}, {"state_version": 2}])
def test_a_header_that_is_none_is_a_damaged_snapshot(instead: Any) -> None:
    assert restore(dumped()).classes == ("a", "b")
    with pytest.raises(BadSnapshotError):
        restore(dumped(instead=instead))


def test_classes_may_be_named_at_a_later_call() -> None:
    classifier = EngramClassifier(hidden=(4,)).partial_fit([[1.0], [2.0]], [0, 1])
    classifier.partial_fit([[1.5]], [0], classes=[0, 1, 5])
    assert classifier.classes_.tolist() == [0, 1, 5]
    assert classifier.predict_proba([[1.0]]).shape == (1, 3)


def test_a_bad_number_leaves_a_river_classifier_as_it_was() -> None:
    river = EngramClassifier(hidden=(8,), components=2).to_river()
    for n in range(30):
        river.learn_one({"x": n % 2}, n % 2)
    before = river.predict_proba_one({"x": 1})
    for wrong in (float("nan"), 1e39, None, "1"):
        with pytest.raises(ValueError, match="x must be a number within"):
            river.learn_one({"x": wrong}, 1)
    assert river.predict_proba_one({"x": 1}) == before


def test_a_state_follows_the_network_to_its_device() -> None:
    there = BiMU(features=2, hidden=(4,), seed=1, device="meta")
    assert {lam.device.type for lam in there.real(LAYERS)} == {"meta"}
