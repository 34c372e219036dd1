"""From `data` to arrays: vectors keep every bit, pictures of every make get the stream's shape, noise a reason."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from service.core.errors import EngramError, TooLargeError, UnacceptableError
from service.core.inputs import from_bytes, parse, to_bytes
from service.core.specs import ImageInput, VectorInput

MOST = 1_000_000
quick = settings(max_examples=150, derandomize=True, database=None, deadline=None)


def vector(values: list[Any]) -> np.ndarray:
    spec = VectorInput(kind="vector", dim=len(values))
    sent = orjson.loads(json.dumps(values))  # as HTTP carries it
    return from_bytes(to_bytes(parse(sent, spec, max_pixels=MOST)), spec)


def picture(
    image: Image.Image,
    form: str = "PNG",
    *,
    width: int | None = None,
    height: int | None = None,
    channels: int = 1,
    **saved: Any,
) -> np.ndarray:
    file = io.BytesIO()
    image.save(file, form, **saved)
    spec = ImageInput(kind="image", width=width or image.width, height=height or image.height, channels=channels)
    data = {"png": base64.b64encode(file.getvalue()).decode()}
    return from_bytes(to_bytes(parse(data, spec, max_pixels=MOST)), spec)


def noise(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@quick
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_float32_comes_back_to_the_bit(values: list[float]) -> None:
    assert vector(values).tobytes() == np.array(values, dtype=np.float32).tobytes()


@quick
@given(st.lists(st.integers(-(10**38), 10**38), min_size=1, max_size=5))
def test_whole_numbers_of_any_size_within_float32_are_taken(values: list[int]) -> None:
    # JSON beyond 64 bits is a float64 to its reader; both round to the nearest float32.
    assert vector(values).tolist() == np.array([float(v) for v in values]).astype(np.float32).tolist()


def test_the_edges_of_float32() -> None:
    largest, least = float(np.finfo(np.float32).max), float(np.finfo(np.float32).smallest_subnormal)
    assert (
        vector([largest, -largest, least, -0.0]).tobytes()
        == np.array([largest, -largest, least, -0.0], dtype=np.float32).tobytes()
    )
    for beyond in (3.5e38, -3.5e38, 1e308):
        with pytest.raises(EngramError, match="finite"):
            vector([0.0, beyond])


@quick
@given(
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from([1, 3]),
)
def test_a_png_of_every_mode_and_size_gets_the_streams_shape(
    mode: str, size: tuple[int, int], wanted: tuple[int, int], channels: int
) -> None:
    grey = noise(size[1], size[0])
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(grey).convert("RGB").convert(mode)
    found = picture(image, width=wanted[0], height=wanted[1], channels=channels)
    assert found.shape == (wanted[1], wanted[0], channels)
    assert found.dtype == np.uint8


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_of_every_mode_shows_what_it_shows(mode: str, channels: int) -> None:
    flat = Image.new("RGB", (20, 10), (90, 90, 90)).convert(mode)
    found = picture(flat, "JPEG", width=5, height=4, channels=channels, quality=95)
    assert found.shape == (4, 5, channels)
    assert np.abs(found.astype(int) - 90).max() <= 3


def test_pixels_of_the_right_size_come_as_they_are() -> None:
    grey, colours = noise(5, 7), noise(5, 7, 3)
    assert (picture(Image.fromarray(grey))[:, :, 0] == grey).all()
    assert (picture(Image.fromarray(colours), channels=3) == colours).all()
    spec = ImageInput(kind="image", width=7, height=5, channels=3)
    assert (parse(colours.tolist(), spec, max_pixels=MOST) == colours).all()


def test_a_palette_shows_its_colours() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    assert picture(image, channels=3).tolist() == [[[255, 0, 0], [0, 0, 255]]]
    assert picture(image, channels=3, transparency=1).tolist() == [[[255, 0, 0], [0, 0, 0]]]
    assert picture(image, channels=3, transparency=bytes([255, 128])).tolist()[0][1][2] in (127, 128)


def test_sixteen_bits_are_scaled_to_eight() -> None:
    grey = noise(6, 4)
    for rest in (0, 100):
        sixteen = grey.clip(0, 254).astype(np.uint16) * 257 + rest
        assert (picture(Image.fromarray(sixteen))[:, :, 0] == grey.clip(0, 254)).all()


def test_what_is_transparent_is_black() -> None:
    pixels = np.full((1, 3, 4), 200, dtype=np.uint8)
    pixels[0, :, 3] = (0, 255, 128)
    assert [row[0] for row in picture(Image.fromarray(pixels), channels=3)[0].tolist()][:2] == [0, 200]
    assert picture(Image.fromarray(pixels))[0, 2, 0] == pytest.approx(100, abs=1)


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: np.rot90(np.transpose(a), 2)),
        (8, np.rot90),
    ],
)
def test_a_picture_turned_by_its_camera_is_turned_back(orientation: int, upright: Any) -> None:
    grey = noise(3, 5)
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown = upright(grey)
    found = picture(Image.fromarray(grey), width=shown.shape[1], height=shown.shape[0], exif=exif.tobytes())
    assert (found[:, :, 0] == shown).all()


def test_shrinking_takes_the_mean_of_each_field() -> None:
    grey = np.kron(np.array([[10, 200], [60, 90]], dtype=np.uint8), np.ones((4, 4), dtype=np.uint8))
    assert picture(Image.fromarray(grey), width=2, height=2)[:, :, 0].tolist() == [[10, 200], [60, 90]]


def _file(form: str) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(9, 11, 3)).save(file, form, exif=exif.tobytes())
    return file.getvalue()


@settings(max_examples=400, derandomize=True, database=None, deadline=None)
@given(
    st.sampled_from(["PNG", "JPEG"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0.05, 1),
)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_damaged_file_is_a_picture_or_a_reason_and_nothing_else(
    form: str, damage: list[tuple[float, int]], kept: float
) -> None:
    raw = bytearray(_file(form))
    for where, value in damage:
        raw[int(where * len(raw))] = value
    spec = ImageInput(kind="image", width=4, height=4, channels=1)
    data = {"png": base64.b64encode(bytes(raw[: int(kept * len(raw))])).decode()}
    try:
        found = parse(data, spec, max_pixels=MOST)
    except (UnacceptableError, TooLargeError):
        return
    assert found.shape == (4, 4, 1)


def test_a_picture_above_the_limit_is_too_large_before_it_is_decoded() -> None:
    spec = ImageInput(kind="image", width=4, height=4, channels=1)
    file = io.BytesIO()
    Image.new("1", (400, 300)).save(file, "PNG")
    data = {"png": base64.b64encode(file.getvalue()).decode()}
    assert parse(data, spec, max_pixels=120_000).shape == (4, 4, 1)
    with pytest.raises(TooLargeError, match="400 × 300"):
        parse(data, spec, max_pixels=119_999)
