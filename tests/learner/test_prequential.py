from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from learner import BiMURule, build, online
from learner.encoders import AnyInput
from learner.online import OnlineLearner
from learner.snapshot import dump
from learner.state import LearnerState, Prediction
from tests.learner.samples import sample

VECTOR: dict[str, Any] = {"kind": "vector", "dim": 3}
IMAGE: dict[str, Any] = {"kind": "image", "width": 4, "height": 3, "channels": 1}
FORMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (VECTOR, {}),
    (VECTOR, {"rates": (0.1, 0.5, 0.9)}),
    (VECTOR | {"levels": 2, "projection": 5}, {"rule": BiMURule(pull_every=4)}),
    (IMAGE, {}),
    (IMAGE, {"rule": BiMURule(pull_every=3)}),
    # What the kernels do not serve.
    (IMAGE | {"levels": 2}, {}),
    (VECTOR, {"rates": ()}),
    (VECTOR, {"fixed_point": True}),
    (VECTOR, {"gate": "sparse_code"}),
    ({"kind": "text", "dim": 64}, {}),
    ({"kind": "tabular", "fields": {"a": "number", "b": "category"}}, {}),
]


def one_by_one(
    learner: OnlineLearner, state: LearnerState, xs: Sequence[AnyInput], labels: Sequence[str], seq: int
) -> tuple[LearnerState, list[Prediction | None]]:
    said = []
    for at, (x, label) in enumerate(zip(xs, labels, strict=True), seq):
        said.append(learner.scorer(state).predict(x))
        state, _ = learner.learn(state, x, label, seq=at)
    return state, said


def stream(kind: str, length: int) -> tuple[list[AnyInput], list[str]]:
    """One where a class comes late, one grows stale and one stays away long enough for the record to be silent."""
    labels = ["a" if n < 20 else "bc"[n % 2] if n < 40 or n > length - 5 else "b" for n in range(length)]
    return [sample(kind, n) for n in range(length)], labels


@pytest.mark.parametrize(("source", "form"), FORMS)
def test_many_labels_by_one_call_are_predicted_and_learned_as_one_by_one(
    source: dict[str, Any], form: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online, "TOGETHER", 30)
    learner = build(source, seed=11, **({"hidden": (6,)} | form))
    xs, labels = stream(source["kind"], 160)
    state, said = one_by_one(learner, learner.start(), xs, labels, 3)
    together, said_together = learner.prequential(learner.start(), xs, labels, seq=3)
    assert said_together == said
    assert dump(together) == dump(state)
    assert (together.seq, together.counts) == (162, state.counts)
    assert {one.novelty > 0.0 for one in said if one} == ({False} if form.get("rates") == () else {False, True})


@given(labels=st.lists(st.sampled_from("abc"), min_size=1, max_size=40), cut=st.integers(0, 40))
@settings(max_examples=25)
def test_where_a_stream_is_cut_makes_no_difference(labels: list[str], cut: int) -> None:
    learner, cut = build(VECTOR, seed=5, hidden=(4,), components=2), min(cut, len(labels))
    xs = [sample("vector", n) for n in range(len(labels))]
    whole, said = learner.prequential(learner.start(("a", "b")), np.stack(xs), labels, seq=1)
    first, before = learner.prequential(learner.start(("a", "b")), xs[:cut], labels[:cut], seq=1)
    rest, after = learner.prequential(first, xs[cut:], labels[cut:], seq=1 + cut)
    assert before + after == said
    assert dump(rest) == dump(whole)


def test_the_state_is_left_as_it_is() -> None:
    learner = build(VECTOR, seed=5, hidden=(4,))
    xs, labels = stream("vector", 120)
    state, _ = learner.prequential(learner.start(), xs, labels, seq=1)
    before = dump(state)
    again = [learner.prequential(state, xs, labels, seq=121) for _ in range(2)]
    assert dump(state) == before
    assert again[0][1] == again[1][1]
    assert dump(again[0][0]) == dump(again[1][0]) != before


def test_what_does_not_follow_or_fit_is_refused() -> None:
    learner = build(VECTOR, seed=5, hidden=(4,))
    state = learner.start(("a", "b"))
    with pytest.raises(ValueError, match="labels must be 2, one for each input, got 1"):
        learner.prequential(state, [np.zeros(3, np.float32)] * 2, ["a"], seq=1)
    with pytest.raises(ValueError, match="seq must be above 0, the last applied, got 0"):
        learner.prequential(state, [np.zeros(3, np.float32)], ["a"], seq=0)
    same, said = learner.prequential(state, [], [], seq=1)
    assert (same, said) == (state, [])
    assert torch.equal(same.layers[0], state.layers[0])
