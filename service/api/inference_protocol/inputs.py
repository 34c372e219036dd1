"""From the input tensors of the Open Inference Protocol to what a stream takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from service.core.errors import EngramError, Fault, UnacceptableError
from service.core.specs import AnyInputSpec, ImageInput, TabularInput, TextInput, VectorInput

MOST_ROWS = 1000

_NUMBERS: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {
        "BOOL": np.dtype("?"),
        "UINT8": np.dtype("u1"),
        "UINT16": np.dtype("<u2"),
        "UINT32": np.dtype("<u4"),
        "UINT64": np.dtype("<u8"),
        "INT8": np.dtype("i1"),
        "INT16": np.dtype("<i2"),
        "INT32": np.dtype("<i4"),
        "INT64": np.dtype("<i8"),
        "FP16": np.dtype("<f2"),
        "FP32": np.dtype("<f4"),
        "FP64": np.dtype("<f8"),
    }
)
TEXT = "BYTES"


class Lenient(BaseModel):
    """Clients send more than the protocol names: what is not known is left aside."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Tensor(Lenient):
    """An input: a name, a shape, a datatype and its elements, flat or nested, first index outermost."""

    name: Annotated[str, Field(max_length=200)]
    shape: Annotated[list[Annotated[int, Field(ge=0, lt=2**31, strict=True)]], Field(max_length=8)]
    datatype: Annotated[str, Field(max_length=20)]
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: list[Any] | None = None


class Rows(NamedTuple):
    """What the inputs say: the samples' `data`, their ids where an input named "id" gives them, the inputs' places."""

    data: list[Any]
    ids: list[str | None]
    places: dict[str, int]

    def blame(self, n: int, error: EngramError) -> EngramError:
        """Return what is wrong with sample `n` as an error of the input that it stands in."""
        detail = f"sample {n}: {error.detail}"
        field = error.faults[0].pointer.removeprefix("/data/") if error.faults else ""
        own = [place for name, place in self.places.items() if name != "id" or len(self.places) == 1]
        place = self.places.get(field.replace("~1", "/").replace("~0", "~"), own[0])
        return type(error)(detail, faults=[Fault(f"/inputs/{place}", detail)])


def rows_of(tensors: Sequence[Tensor], spec: AnyInputSpec, raw: bytes = b"") -> Rows:
    """Return the samples that the inputs hold.

    A vector is one tensor [N, D] of numbers; an image one [N, H, W] or [N, H, W, C] of numbers or a BYTES tensor [N] of
    base64 files; a text one BYTES tensor [N]; a row one tensor [N] or [N, 1] for each field. The binary data extension
    is understood: `raw` holds, in order, the elements of the inputs that have `binary_data_size`.

    Raises:
        UnacceptableError: where the tensors are not what the stream takes, saying what would be right.
    """
    values: dict[str, tuple[Tensor, list[Any]]] = {}
    places = {tensor.name: n for n, tensor in enumerate(tensors)}
    taken = 0
    for n, tensor in enumerate(tensors):
        size = tensor.parameters.get("binary_data_size")
        if tensor.name in values:
            raise _refuse(n, f"the name '{tensor.name}' stands twice")
        if size is None:
            values[tensor.name] = tensor, _listed(n, tensor)
            continue
        if type(size) is not int or not 0 <= size <= len(raw) - taken:
            raise _refuse(n, f"binary_data_size must be the size of this input's bytes, got {size}")
        values[tensor.name] = tensor, _unpacked(n, tensor, raw[taken : taken + size])
        taken += size
    if taken != len(raw):
        raise _refuse_all(f"the inputs name {taken} bytes of binary data, but {len(raw)} came")
    given = values.pop("id", None) if not (isinstance(spec, TabularInput) and "id" in spec.fields) else None
    data = _fields(values, spec) if isinstance(spec, TabularInput) else _single(values, spec)
    if not 1 <= len(data) <= MOST_ROWS:
        raise _refuse_all(f"a request must hold 1 to {MOST_ROWS} samples, got {len(data)}")
    if given is None:
        return Rows(data, [None] * len(data), places)
    _, ids = given
    if len(ids) != len(data) or not all(isinstance(one, str) for one in ids):
        raise _refuse(places["id"], f"the input 'id' must hold {len(data)} texts, one for each sample")
    return Rows(data, ids, places)


def described(spec: AnyInputSpec) -> list[dict[str, Any]]:
    """Return the inputs of a stream as model metadata names them; -1 is any number of samples."""
    if isinstance(spec, VectorInput):
        return [{"name": "input", "datatype": "FP32", "shape": [-1, spec.dim]}]
    if isinstance(spec, ImageInput):
        return [{"name": "input", "datatype": "UINT8", "shape": [-1, spec.height, spec.width, spec.channels]}]
    if isinstance(spec, TextInput):
        return [{"name": "input", "datatype": TEXT, "shape": [-1]}]
    kinds = {"number": "FP64", "category": TEXT}
    return [{"name": name, "datatype": kinds[kind], "shape": [-1]} for name, kind in spec.fields.items()]


def _refuse(n: int, detail: str) -> UnacceptableError:
    return UnacceptableError(f"input {n}: {detail}", faults=[Fault(f"/inputs/{n}", detail)])


def _refuse_all(detail: str) -> UnacceptableError:
    return UnacceptableError.at("/inputs", detail)


def _listed(n: int, tensor: Tensor) -> list[Any]:
    """Return the elements of a tensor that came as JSON, flat."""
    if tensor.datatype not in _NUMBERS and tensor.datatype != TEXT:
        raise _refuse(n, f"datatype must be one of {', '.join((*_NUMBERS, TEXT))}, got '{tensor.datatype}'")
    if tensor.data is None:
        raise _refuse(n, "data must be a list of the tensor's elements")
    flat = tensor.data
    for _ in tensor.shape:
        if not flat or not all(isinstance(part, list) for part in flat):
            break
        flat = [value for part in flat for value in part]
    if len(flat) != prod(tensor.shape):
        shape = "×".join(map(str, tensor.shape))
        raise _refuse(n, f"data must have {prod(tensor.shape)} elements for the shape {shape}, got {len(flat)}")
    kinds = (str,) if tensor.datatype == TEXT else (int, float, bool)
    if not all(isinstance(value, kinds) for value in flat):
        wanted = "texts" if tensor.datatype == TEXT else "numbers"
        raise _refuse(n, f"data of {tensor.datatype} must be {wanted}, flat or nested as the shape says")
    return [int(value) if isinstance(value, bool) else value for value in flat]


def _unpacked(n: int, tensor: Tensor, raw: bytes) -> list[Any]:
    """Return the elements of a tensor that came as bytes: little-endian, texts each after its length."""
    count = prod(tensor.shape)
    if tensor.datatype in _NUMBERS:
        kind = _NUMBERS[tensor.datatype]
        if len(raw) != count * kind.itemsize:
            raise _refuse(n, f"binary_data_size must be {count * kind.itemsize} for this shape, got {len(raw)}")
        numbers = np.frombuffer(raw, kind)
        return list(numbers.astype("u1").tolist() if tensor.datatype == "BOOL" else numbers.tolist())
    if tensor.datatype != TEXT:
        raise _refuse(n, f"datatype must be one of {', '.join((*_NUMBERS, TEXT))}, got '{tensor.datatype}'")
    found, at = [], 0
    try:
        while at < len(raw):
            size = int.from_bytes(raw[at : at + 4], "little")
            if at + 4 + size > len(raw):
                raise _refuse(n, "binary data of BYTES must be texts, each after its length in four bytes")
            found.append(raw[at + 4 : at + 4 + size].decode())
            at += 4 + size
    except UnicodeDecodeError:
        raise _refuse(n, "texts must be UTF-8") from None
    if len(found) != count:
        raise _refuse(n, f"binary data must hold {count} texts for this shape, got {len(found)}")
    return found


def _single(values: dict[str, tuple[Tensor, list[Any]]], spec: VectorInput | ImageInput | TextInput) -> list[Any]:
    wanted = described(spec)[0]
    if len(values) != 1:
        raise _refuse_all(f"a request must have one input beside 'id', got {len(values)}")
    tensor, flat = next(iter(values.values()))
    shape, text = tensor.shape, tensor.datatype == TEXT
    if isinstance(spec, TextInput):
        if not text or len(shape) not in (1, 2) or shape[1:] not in ([], [1]):
            raise _refuse_all(f"the input must be BYTES of shape [N], got {tensor.datatype} of {shape}")
        return flat
    if isinstance(spec, ImageInput) and text and (len(shape) == 1 or shape[1:] == [1]):
        return [{"png": one} for one in flat]
    inner = wanted["shape"][1:]
    fits = [inner, inner[:2]] if isinstance(spec, ImageInput) and spec.channels == 1 else [inner]
    if isinstance(spec, VectorInput) and shape == inner:
        shape = [1, *inner]
    if text or shape[1:] not in fits:
        wanted_shape = f"[N, {', '.join(map(str, inner))}]"
        raise _refuse_all(f"the input must be numbers of shape {wanted_shape}, got {tensor.datatype} of {shape}")
    rows, width = shape[0], prod(inner)
    parts = [flat[row * width : (row + 1) * width] for row in range(rows)]
    if isinstance(spec, VectorInput):
        return parts
    return [_nested(part, inner if spec.channels > 1 else inner[:2]) for part in parts]


def _nested(flat: list[Any], shape: Sequence[int]) -> list[Any]:
    if len(shape) == 1:
        return flat
    width = len(flat) // shape[0]
    return [_nested(flat[n * width : (n + 1) * width], shape[1:]) for n in range(shape[0])]


def _fields(values: dict[str, tuple[Tensor, list[Any]]], spec: TabularInput) -> list[Any]:
    """Return a row for each sample; a field without an input is missing in all of them."""
    unknown = [name for name in values if name not in spec.fields]
    if unknown or not values:
        names = ", ".join(sorted(spec.fields))
        raise _refuse_all(f"inputs must be among the fields {names}, got {', '.join(unknown) or 'none'}")
    sizes = {name: len(flat) for name, (_, flat) in values.items()}
    if len(set(sizes.values())) != 1 or any(tensor.shape[1:] not in ([], [1]) for tensor, _ in values.values()):
        raise _refuse_all("every field must be a tensor of shape [N], with the same N")
    rows = next(iter(sizes.values()))
    return [{name: flat[row] for name, (_, flat) in values.items()} for row in range(rows)]
