from __future__ import annotations

import numpy as np
import pytest
import torch

from learner import build, snapshot
from learner.encoders import TabularEncoder, VectorEncoder

FIELDS = {"age": "number", "job": "category", "pay": "number"}
ENCODER = TabularEncoder(FIELDS, buckets=8)
ROWS = [
    {"age": 20.0, "job": "cook", "pay": 1.0},
    {"age": 40.0, "job": "clerk", "pay": None},
    {"age": None, "job": None, "pay": 5.0},
    {"age": 60.0, "job": "cook"},
]


def learned() -> tuple[torch.Tensor, ...]:
    state = ENCODER.start()
    for row in ROWS:
        state = ENCODER.learn(state, row)
    return state


def test_numbers_are_standardised_as_a_vector_is():
    vectors, rows = VectorEncoder(1), TabularEncoder({"x": "number"})
    one, other = vectors.start(), rows.start()
    for value in (1.0, 4.0, -2.0):
        one, other = vectors.learn(one, np.array([value], np.float32)), rows.learn(other, {"x": value})
    expected = vectors.encode(one, np.array([3.0], np.float32))
    assert torch.allclose(rows.encode(other, {"x": 3.0})[:8], expected)


def test_a_missing_field_moves_no_moment_and_leaves_a_mark():
    count, mean, _ = learned()
    assert count.tolist() == [3.0, 2.0]
    assert mean.tolist() == [40.0, 3.0]
    marks = ENCODER.encode(learned(), ROWS[2])[-3:]
    assert marks.tolist() == [1.0, 0.0, 1.0]
    assert torch.equal(ENCODER.encode(learned(), ROWS[3]), ENCODER.encode(learned(), ROWS[3] | {"pay": None}))


@pytest.mark.parametrize("row", ROWS)
def test_a_code_stands_for_features_with_the_same_code(row: dict[str, object]):
    state = learned()
    code = ENCODER.code(ENCODER.encode(state, row))
    assert code.shape == (ENCODER.bits,)
    decoded = ENCODER.decode(state, code[None])[0]
    assert decoded.shape == (ENCODER.features,)
    assert np.array_equal(ENCODER.code(torch.from_numpy(decoded)), code)


def test_only_categories_need_no_numbers():
    encoder = TabularEncoder({"colour": "category"}, buckets=4)
    code = encoder.code(encoder.encode(encoder.start(), {"colour": "red"}))
    assert code.sum() == 1
    assert encoder.decode((), code[None]).shape == (1, encoder.features)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_comes_back_from_its_bytes_as_the_same_features(row: dict[str, object]):
    kept = ENCODER.from_bytes(ENCODER.to_bytes(row))
    assert torch.equal(ENCODER.encode(learned(), kept), ENCODER.encode(learned(), row))


@pytest.mark.parametrize(
    ("row", "said"),
    [({"age": "old"}, "age"), ({"job": 3}, "job"), ({"height": 1.0}, "height"), ({"age": float("inf")}, "age")],
)
def test_a_row_that_does_not_fit_is_refused(row: dict[str, object], said: str):
    with pytest.raises(ValueError, match=said):
        ENCODER.encode(ENCODER.start(), row)


@pytest.mark.parametrize("settings", [{"fields": {}}, {"fields": {"x": "date"}}, {"fields": FIELDS, "buckets": 1}])
def test_settings_out_of_range_are_refused(settings: dict[str, object]):
    with pytest.raises(ValueError, match="must"):
        TabularEncoder(**settings)


def test_a_table_is_learned_and_its_bits_survive_a_snapshot():
    learner = build({"kind": "tabular", "fields": {"x": "number", "colour": "category"}}, seed=4, hidden=(32,))
    whole = half = learner.start()
    for seq in range(1, 61):
        row = {"x": float(seq % 5) if seq % 7 else None, "colour": ("red", "blue")[seq % 2]}
        whole, _ = learner.learn(whole, row, ("yes", "no")[seq % 2], seq=seq)
        half, _ = learner.learn(half, row, ("yes", "no")[seq % 2], seq=seq)
        half = snapshot.restore(snapshot.dump(half)) if seq == 20 else half
    assert snapshot.state_hash(whole) == snapshot.state_hash(half)
    assert learner.scorer(half).predict({"colour": "red"}).label == "yes"
