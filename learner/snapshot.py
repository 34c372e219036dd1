"""The learner's state as bytes: tensors in safetensors, the rest in a versioned JSON header. Nothing is pickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import load, save
from torch import Tensor

from learner.memory.fusion import FusionState
from learner.memory.mixture import MemoryState
from learner.memory.recollection import RecollectionState
from learner.state import LearnerState

STATE_VERSION = 2
"""Raised when the meaning of the stored tensors changes. 2: memories, fusion and familiarity; pixels from 0 to 1."""

_PARTS = MemoryState._fields


class BadSnapshotError(ValueError):
    """The bytes are not a snapshot of the learner that this version can read."""


def dump(state: LearnerState, about: Mapping[str, Any] | None = None) -> bytes:
    """Return the state as one safetensors file; its metadata `engram` holds the JSON header, with the state's hash.

    Args:
        state: what to write.
        about: what else the header should say, for example what the state was computed with; JSON only. The state's
            hash does not cover it.

    Example:
        >>> from learner.encoders import VectorEncoder
        >>> from learner.online import OnlineLearner
        >>> from learner.synapses.classifier import BiMU
        >>> state = OnlineLearner(VectorEncoder(1), BiMU(features=8)).start(("a", "b"))
        >>> restored = restore(dump(state))
        >>> restored.classes, state_hash(restored) == state_hash(state)
        (('a', 'b'), True)
    """
    header = dict(about or {}) | _header(state) | {"hash": state_hash(state)}
    return save(_tensors(state), metadata={"engram": json.dumps(header)})


def restore(data: bytes) -> LearnerState:
    """Return the state that `dump` wrote.

    Raises:
        BadSnapshotError: where the bytes are damaged, not a snapshot, or of a later version.
    """
    header = read_header(data)
    if header.get("state_version") != STATE_VERSION:
        raise BadSnapshotError(f"state version must be {STATE_VERSION}, got {header.get('state_version')}")
    try:
        tensors = load(data)
        state = LearnerState(
            seq=header["seq"],
            classes=tuple(header["classes"]),
            counts=tuple(header["counts"]),
            encoder=tuple(tensors[f"encoder.{index}"] for index in range(header["encoder"])),
            layers=tuple(tensors[f"layer.{index}"] for index in range(header["layers"])),
            memory=_memory(tensors, header["memories"]),
        )
        hash_of = header["hash"]
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise BadSnapshotError(f"the snapshot is damaged: {error}") from error
    if state_hash(state) != hash_of:
        raise BadSnapshotError("the snapshot is damaged: its hash does not fit its content")
    return state


def read_header(data: bytes) -> dict[str, Any]:
    """Return the JSON header of a snapshot without reading its tensors.

    Raises:
        BadSnapshotError: where there is none.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
        header = json.loads(metadata["engram"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadSnapshotError("the snapshot is damaged: it has no readable header") from error
    if not isinstance(header, dict):
        raise BadSnapshotError("the snapshot is damaged: its header is no object")
    return header


def state_hash(state: LearnerState) -> str:
    """Return the SHA-256 of all that the learner knows: header and tensors' bits, in a fixed order."""
    digest = hashlib.sha256(json.dumps(_header(state), sort_keys=True).encode())
    for name, tensor in sorted(_tensors(state).items()):
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(np.ascontiguousarray(tensor.numpy()).tobytes())
    return digest.hexdigest()


def size(state: LearnerState) -> int:
    """Return how many bytes the state's tensors take."""
    return sum(tensor.numel() * tensor.element_size() for tensor in _views(state).values())


def _header(state: LearnerState) -> dict[str, Any]:
    return {
        "state_version": STATE_VERSION,
        "seq": state.seq,
        "classes": list(state.classes),
        "counts": list(state.counts),
        "encoder": len(state.encoder),
        "layers": len(state.layers),
        "memories": len(state.memory.memories) if state.memory else 0,
    }


def _memory(tensors: dict[str, Tensor], memories: int) -> RecollectionState | None:
    if not memories:
        return None
    states = (
        MemoryState(**{part: tensors[f"memory.{index}.{part}"].numpy() for part in _PARTS}) for index in range(memories)
    )
    fusion = FusionState(tensors["fusion.evidence"].numpy(), tensors["fusion.weights"].numpy())
    return RecollectionState(tuple(states), fusion, tensors["familiar"].numpy())


def _memory_tensors(memory: RecollectionState) -> dict[str, Tensor]:
    parts = {f"memory.{i}.{part}": getattr(of, part) for i, of in enumerate(memory.memories) for part in _PARTS}
    parts |= {"fusion.evidence": memory.fusion.evidence, "fusion.weights": memory.fusion.weights}
    return {name: torch.from_numpy(array) for name, array in (parts | {"familiar": memory.familiar}).items()}


def _views(state: LearnerState) -> dict[str, Tensor]:
    parts = {f"encoder.{index}": tensor for index, tensor in enumerate(state.encoder)}
    parts |= {f"layer.{index}": tensor for index, tensor in enumerate(state.layers)}
    if state.memory is not None:
        parts |= _memory_tensors(state.memory)
    return parts


def _tensors(state: LearnerState) -> dict[str, Tensor]:
    # Copies: two tensors of a fresh state may share their zeros, and the format stores no sharing.
    return {name: tensor.cpu().clone(memory_format=torch.contiguous_format) for name, tensor in _views(state).items()}
