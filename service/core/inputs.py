"""From a sample's `data` to what the learner takes, and to bytes and back. Bad data gets one clear reason."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from learner.encoders import AnyInput, Inputs
from service.core.errors import Fault, TooLargeError, UnacceptableError
from service.core.specs import AnyInputSpec, ImageInput, TabularInput, TextInput, VectorInput

_LARGEST = float(np.finfo(np.float32).max)

_PICTURE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
)


def parse(data: Any, spec: AnyInputSpec, *, max_pixels: int) -> AnyInput:
    """Return `data` as the learner takes it.

    A vector is float32 [dim], an image uint8 [height, width, channels], a text itself, a row a dict without the fields
    that are missing.

    Raises:
        UnacceptableError: where the data is not what the stream takes, saying what would be right.
        TooLargeError: where a picture has more than `max_pixels`.
    """
    if isinstance(spec, VectorInput):
        return _vector(data, spec)
    if isinstance(spec, TextInput):
        return _text(data)
    if isinstance(spec, TabularInput):
        return _row(data, spec)
    if isinstance(data, dict):
        return _picture(data, spec, max_pixels)
    return _pixels(data, spec)


def to_bytes(x: AnyInput) -> bytes:
    """Return an array's bits, a text's UTF-8 or a row's canonical JSON; kind and shape follow from the stream."""
    if isinstance(x, np.ndarray):
        return x.tobytes()
    return x.encode() if isinstance(x, str) else orjson.dumps(x, option=orjson.OPT_SORT_KEYS)


def from_bytes(data: bytes, spec: AnyInputSpec) -> AnyInput:
    """Return what `to_bytes` wrote."""
    one: AnyInput = many_from_bytes([data], spec)[0]
    return one


def many_from_bytes(data: Sequence[bytes], spec: AnyInputSpec) -> Inputs:
    """Return what `to_bytes` wrote of each, vectors and images in one array."""
    if not data:
        return []
    if isinstance(spec, TextInput):
        return [text.decode() for text in data]
    if isinstance(spec, TabularInput):
        return [orjson.loads(row) for row in data]
    if isinstance(spec, VectorInput):
        return np.frombuffer(b"".join(data), dtype=np.float32).reshape(len(data), spec.dim)
    pixels = np.frombuffer(b"".join(data), dtype=np.uint8)
    return pixels.reshape(len(data), spec.height, spec.width, spec.channels)


def _refuse(detail: str, pointer: str = "/data") -> UnacceptableError:
    return UnacceptableError(detail, faults=[Fault(pointer, detail)])


def _numbers(values: Iterable[Any]) -> bool:
    return set(map(type, values)) <= {int, float}


def _vector(data: Any, spec: VectorInput) -> NDArray[np.float32]:
    if not isinstance(data, list) or len(data) != spec.dim:
        got = f"a list of {len(data)}" if isinstance(data, list) else kind_of(data)
        raise _refuse(f"data must be a list of {spec.dim} numbers, got {got}")
    if not _numbers(data):
        index = next(i for i, value in enumerate(data) if type(value) not in (int, float))
        raise _refuse(f"data[{index}] must be a number, got {kind_of(data[index])}", f"/data/{index}")
    with np.errstate(over="ignore"):
        values = np.array(data, dtype=np.float64).astype(np.float32)
    if not np.isfinite(values).all():
        index = int(np.flatnonzero(~np.isfinite(values))[0])
        raise _refuse(f"data[{index}] must be a finite number within ±3.4e38", f"/data/{index}")
    return values


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise _refuse(f"data must be a string, got {kind_of(data)}")
    return data


def _row(data: Any, spec: TabularInput) -> dict[str, float | str]:
    names = ", ".join(sorted(spec.fields))
    if not isinstance(data, dict):
        raise _refuse(f"data must be an object with the fields {names}, got {kind_of(data)}")
    for name, value in data.items():
        pointer = f"/data/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in spec.fields:
            raise _refuse(f"data may have the fields {names}, got '{name}'", pointer)
        number = spec.fields[name] == "number"
        if value is None:
            continue
        if (type(value) not in (int, float)) if number else not isinstance(value, str):
            wanted = "a number" if number else "a string"
            raise _refuse(f"data.{name} must be {wanted} or null, got {kind_of(value)}", pointer)
        if number and not abs(value) <= _LARGEST:
            raise _refuse(f"data.{name} must be a finite number within ±3.4e38", pointer)
    return {name: value for name, value in data.items() if value is not None}


def _pixels(data: Any, spec: ImageInput) -> NDArray[np.uint8]:
    shape = f"{spec.height} rows of {spec.width}" + (f" pixels of {spec.channels}" if spec.channels > 1 else "")
    wanted = f'data must be {{"png": base64}} or {shape} numbers from 0 to 255'
    if not isinstance(data, list):
        raise _refuse(f"{wanted}, got {kind_of(data)}")
    depth, flat = 1, data
    while flat and all(isinstance(part, list) for part in flat) and depth < 3:
        depth, flat = depth + 1, [value for part in flat for value in part]
    if not flat or not _numbers(flat):
        raise _refuse(f"{wanted}, without gaps, words or other values")
    try:
        values = np.array(data, dtype=np.float64)
    except ValueError:
        raise _refuse(f"{wanted}; the rows differ in length") from None
    shapes = {(spec.height, spec.width, spec.channels)} | ({(spec.height, spec.width)} if spec.channels == 1 else set())
    if values.shape not in shapes:
        raise _refuse(f"{wanted}, got the shape {'×'.join(map(str, values.shape))}")
    if not ((values >= 0) & (values <= 255)).all():
        raise _refuse(f"{wanted}, got a number outside")
    return np.rint(values).astype(np.uint8).reshape(spec.height, spec.width, spec.channels)


def _picture(data: dict[str, Any], spec: ImageInput, max_pixels: int) -> NDArray[np.uint8]:
    if set(data) != {"png"} or not isinstance(data["png"], str):
        raise _refuse('data must be {"png": base64 of a PNG or JPEG file} and nothing else')
    try:
        raw = base64.b64decode(data["png"], validate=True)
    except (binascii.Error, ValueError):
        raise _refuse("data.png must be valid base64", "/data/png") from None
    try:
        with Image.open(io.BytesIO(raw), formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > max_pixels:
                raise TooLargeError(
                    f"the picture has {picture.width} × {picture.height} pixels; at most {max_pixels} are taken"
                )
            upright = ImageOps.exif_transpose(picture)
            plain = _flattened(upright).convert("L" if spec.channels == 1 else "RGB")
            sized = plain.resize((spec.width, spec.height), Image.Resampling.BOX)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLargeError(f"the picture has far too many pixels; at most {max_pixels} are taken") from None
    except UnidentifiedImageError:
        raise _refuse("data.png must be a PNG or JPEG file; it is neither", "/data/png") from None
    except _PICTURE_ERRORS as error:
        raise _refuse(f"data.png must be a whole PNG or JPEG file: {error}", "/data/png") from None
    return np.asarray(sized, dtype=np.uint8).reshape(spec.height, spec.width, spec.channels)


def _flattened(picture: Image.Image) -> Image.Image:
    """Return the picture on black where it is transparent, and 16-bit grey as 8-bit."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return Image.fromarray((np.asarray(picture).astype(np.float64) / 257.0).round().clip(0, 255).astype(np.uint8))
    if "A" in picture.getbands() or "transparency" in picture.info:
        layers = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layers.size, (0, 0, 0, 255)), layers)
    return picture


def kind_of(value: Any) -> str:
    """Return what a JSON value is."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
