"""What every encoder must do, whatever it encodes and however finely."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from learner import build, snapshot
from learner.building import encoder_of
from learner.encoders import ImageEncoder, VectorEncoder

Draw = Callable[[np.random.Generator], Any]


def vector(draw: np.random.Generator) -> np.ndarray:
    return (draw.normal(size=6) * 10.0 ** draw.integers(-3, 4)).astype(np.float32)


def image(draw: np.random.Generator) -> np.ndarray:
    return draw.integers(0, 256, (4, 3, 1), np.uint8)


def text(draw: np.random.Generator) -> str:
    return " ".join(draw.choice(["my", "card", "was", "lost", "Ünder", ""], 4))


def row(draw: np.random.Generator) -> dict[str, Any]:
    found = {"age": float(draw.normal()), "job": str(draw.choice(["cook", "clerk"]))}
    return {name: value for name, value in found.items() if draw.random() < 0.8}


VECTOR = {"kind": "vector", "dim": 6}
IMAGE = {"kind": "image", "width": 3, "height": 4, "channels": 1}
SOURCES: dict[str, tuple[dict[str, Any], Draw]] = {
    "vector": (VECTOR, vector),
    "vector, one level": (VECTOR | {"levels": 1}, vector),
    "vector, 15 levels": (VECTOR | {"levels": 15}, vector),
    "vector, projected": (VECTOR | {"levels": 3, "projection": 40}, vector),
    "image": (IMAGE, image),
    "image, 4 levels": (IMAGE | {"levels": 4}, image),
    "image, 63 levels": (IMAGE | {"levels": 63}, image),
    "image, from the middle": (IMAGE | {"threshold": "middle"}, image),
    "image, 4 levels from the middle": (IMAGE | {"levels": 4, "threshold": "middle"}, image),
    "image, projected": (IMAGE | {"levels": 2, "projection": 33}, image),
    "text": ({"kind": "text", "dim": 64}, text),
    "text, buckets shared": ({"kind": "text", "dim": 64, "separate": False}, text),
    "tabular": ({"kind": "tabular", "fields": {"age": "number", "job": "category"}, "buckets": 8}, row),
}
every = pytest.mark.parametrize("name", SOURCES)
seeds = st.integers(0, 2**32)


def learned(name: str, seed: int) -> tuple[Any, Any, np.random.Generator, Draw]:
    """Return an encoder, its state after a few inputs, and what draws further ones."""
    source, one = SOURCES[name]
    encoder, draw = encoder_of(source), np.random.Generator(np.random.Philox(seed))
    state = encoder.start()
    for _ in range(int(draw.integers(0, 6))):
        state = encoder.learn(state, one(draw))
    return encoder, state, draw, one


@every
@given(seed=seeds)
def test_features_and_codes_have_the_stated_lengths_and_repeat(name: str, seed: int):
    encoder, state, draw, one = learned(name, seed)
    x = one(draw)
    features = encoder.encode(state, x)
    code = encoder.code(features)
    assert features.shape == (encoder.features,)
    assert features.dtype == torch.float32
    assert bool(torch.isfinite(features).all())
    assert code.shape == (encoder.bits,)
    assert code.dtype == np.uint8
    assert set(np.unique(code)) <= {0, 1}
    other = encoder_of(SOURCES[name][0])
    assert torch.equal(other.encode(state, x), features)
    assert np.array_equal(other.code(features), code)


@every
@given(seed=seeds)
def test_many_are_encoded_as_each_alone(name: str, seed: int):
    encoder, state, draw, one = learned(name, seed)
    xs = [one(draw) for _ in range(int(draw.integers(1, 6)))]
    features = encoder.encode_many(state, xs)
    assert torch.equal(features, torch.stack([encoder.encode(state, x) for x in xs]))
    assert np.array_equal(encoder.code_many(features), np.stack([encoder.code(row) for row in features]))


@every
@given(seed=seeds)
def test_only_learning_moves_the_state_and_it_makes_a_new_one(name: str, seed: int):
    encoder, state, draw, one = learned(name, seed)
    kept, x = [part.clone() for part in state], one(draw)
    code = encoder.code(encoder.encode(state, x))
    encoder.decode(state, code[None])
    twice = [encoder.learn(state, x) for _ in range(2)]
    assert all(torch.equal(part, before) for part, before in zip(state, kept, strict=True))
    assert all(torch.equal(part, other) for part, other in zip(*twice, strict=True))


@every
@given(seed=seeds)
def test_a_code_stands_for_features_with_the_same_bits(name: str, seed: int):
    encoder, state, draw, one = learned(name, seed)
    codes = np.stack([encoder.code(encoder.encode(state, one(draw))) for _ in range(3)])
    decoded = encoder.decode(state, codes)
    assert decoded.shape == (3, encoder.features)
    assert decoded.dtype == np.float32
    own = encoder.bits - getattr(encoder, "projection", 0)
    again = np.stack([encoder.code(torch.from_numpy(features)) for features in decoded])
    assert np.array_equal(again[:, :own], codes[:, :own])


@every
@given(seed=seeds)
def test_dreamt_bits_that_no_input_has_are_features_all_the_same(name: str, seed: int):
    encoder, state, draw, _ = learned(name, seed)
    codes = draw.integers(0, 2, (5, encoder.bits), np.uint8)
    decoded = encoder.decode(state, codes)
    assert decoded.shape == (5, encoder.features)
    assert bool(np.isfinite(decoded).all())


@every
def test_a_learner_of_these_codes_survives_a_snapshot_to_the_bit(name: str):
    source, one = SOURCES[name]
    learner, draw = build(source, seed=5, hidden=(16,), components=2), np.random.Generator(np.random.Philox(2))
    whole = half = learner.start()
    for seq in range(1, 41):
        # Class "a" stops coming, so that it is dreamt of in the end.
        x, label = one(draw), "a" if seq < 11 else "b"
        whole, info = learner.learn(whole, x, label, seq=seq)
        half, _ = learner.learn(half, x, label, seq=seq)
        half = snapshot.restore(snapshot.dump(half)) if seq == 9 else half
    assert info.replayed > 0
    assert snapshot.state_hash(whole) == snapshot.state_hash(half)


def test_the_defaults_are_seven_levels_and_what_is_above_the_mean():
    features = torch.linspace(-2, 2, 48)
    assert VectorEncoder(6).bits == 42
    assert np.array_equal(VectorEncoder(6).code(features), (features.numpy()[6:] > 0.0).astype(np.uint8))
    pixels = torch.arange(12) / 11
    assert np.array_equal(ImageEncoder(3, 4, 1).code(pixels**3), (pixels**3 > (pixels**3).mean()).numpy())
    assert ImageEncoder(3, 4, 1, levels=1, projection=0, threshold="mean") == ImageEncoder(3, 4, 1)
    halves = ImageEncoder(3, 4, 1, threshold="middle").code(pixels**3)
    assert np.array_equal(halves, (pixels.numpy() ** 3 > 0.5).astype(np.uint8))


@given(st.integers(0, 255), st.integers(1, 63))
def test_a_pixel_passes_the_levels_below_it(pixel: int, levels: int):
    encoder = ImageEncoder(1, 1, 1, levels=levels, threshold="middle")
    features = encoder.encode((), np.array([[[pixel]]], np.uint8))
    expected = sum(pixel * (levels + 1) > 255 * level for level in range(1, levels + 1))
    assert int(encoder.code(features).sum()) == expected


@given(seeds, st.integers(1, 63), st.integers(1, 255))
def test_bits_are_tones_about_the_mean_and_a_negative_has_the_opposite_ones(seed: int, levels: int, most: int):
    encoder = ImageEncoder(3, 4, 1, levels=levels)
    draw = np.random.Generator(np.random.Philox(seed))
    x = draw.integers(0, most + 1, (4, 3, 1), np.uint8)
    assume(x.min() < x.max())
    bits = encoder.code(encoder.encode((), x)).reshape(levels, 12)
    tones = x.reshape(-1).astype(int)
    mean = tones.sum() / 12
    dark, bright = tones / (2 * mean), 1 - (255 - tones) / (2 * (255 - mean))
    passed = np.where(tones == mean, 0.5, np.where(tones < mean, dark, bright)) * (levels + 1)
    clear = np.abs(passed - np.round(passed)) > 1e-6
    assert np.array_equal(bits.sum(axis=0)[clear], np.ceil(passed).astype(int)[clear] - 1)
    inverse = encoder.code(encoder.encode((), np.uint8(255) - x)).reshape(levels, 12)
    assert np.array_equal(inverse.sum(axis=0)[clear], levels - bits.sum(axis=0)[clear])


@given(seeds, st.integers(2, 5))
def test_with_one_level_a_dim_copy_has_the_code_of_its_picture(seed: int, times: int):
    encoder = ImageEncoder(3, 4, 1)
    dim = np.random.Generator(np.random.Philox(seed)).integers(0, 255 // times + 1, (4, 3, 1), np.uint8)
    of_dim, of_bright = (encoder.code(encoder.encode((), x)) for x in (dim, dim * np.uint8(times)))
    # In units of a twelfth of a shade: a pixel that is the mean may be rounded to either side.
    clear = dim.reshape(-1).astype(int) * 12 != int(dim.sum())
    assert np.array_equal(of_dim[clear], of_bright[clear])


def test_a_picture_of_one_shade_has_no_pixel_above_its_mean():
    for shade in range(256):
        x = np.full((28, 28, 3), shade, np.uint8)
        assert not ImageEncoder(28, 28, 3).code(ImageEncoder(28, 28, 3).encode((), x)).any()


def test_projected_bits_keep_angles_and_a_pictures_bits_do_not_see_its_brightness():
    draw = np.random.Generator(np.random.Philox(3))
    encoder = VectorEncoder(200, levels=1, projection=4000)
    state = encoder.start()
    for value in (1.0, -1.0):
        state = encoder.learn(state, np.full(200, value, np.float32))
    one, other = draw.normal(size=(2, 200)).astype(np.float32)
    both = [encoder.code(encoder.encode(state, x))[200:] for x in (one, one + other)]
    assert (both[0] != both[1]).mean() == pytest.approx(np.arccos(1 / np.sqrt(2)) / np.pi, abs=0.04)
    pictures = ImageEncoder(8, 8, 1, projection=500)
    dark = draw.integers(0, 128, (8, 8, 1)).astype(np.uint8)
    bits = [pictures.code(pictures.encode((), dark + add))[64:] for add in (np.uint8(0), np.uint8(120))]
    assert (bits[0] != bits[1]).mean() < 0.05


def test_another_threshold_is_refused():
    with pytest.raises(ValueError, match="threshold must be one of mean, middle, got 'median'"):
        encoder_of(IMAGE | {"threshold": "median"})


@pytest.mark.parametrize("kind", [VECTOR, IMAGE], ids=lambda source: source["kind"])
@pytest.mark.parametrize(("name", "value"), [("levels", 0), ("levels", 64), ("projection", -1)])
def test_a_setting_out_of_range_is_named(kind: dict[str, Any], name: str, value: int):
    with pytest.raises(ValueError, match=name):
        encoder_of(kind | {name: value})
