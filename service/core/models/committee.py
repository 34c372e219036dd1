"""A stream's network as a file for small devices: binary members drawn from what it has learned."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from learner.exporting import PackedCommittee, c_encoding, c_header, pack
from service.core import streams
from service.core.errors import ConflictError
from service.core.models.training import apprentice
from service.core.parts import Parts

MOST_MEMBERS = 64


class Drawn(NamedTuple):
    """Binary networks, and their encoder in C where there is one."""

    committee: PackedCommittee
    encoding: str


def drawn(parts: Parts, name: str, members: int) -> Drawn:
    """Return binary networks drawn from the stream's current version.

    Raises:
        NotFoundError: where there is no such stream.
        ConflictError: where it knows no class yet, or its network has gates.
    """
    stream = parts.db.read_now(lambda c: streams.find(c, name))
    state = parts.models.state(stream)
    if not state.classes:
        raise ConflictError(f"the stream '{name}' knows no class yet, so there is nothing to export")
    learner = apprentice(stream, parts.settings.device).learner
    if learner.network.gate != "none":
        raise ConflictError(f"the stream '{name}' has gates ('{learner.network.gate}'), which no export holds")
    return Drawn(pack(learner.network, state, members=members), c_encoding(learner.encoder, state.encoder))


def _npz(found: Drawn) -> Iterator[bytes]:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **found.committee.arrays())
    yield file.getvalue()


def _c(found: Drawn) -> Iterator[bytes]:
    return (part.encode() for part in c_header(found.committee, found.encoding))


FORMATS: Mapping[str, tuple[str, Callable[[Drawn], Iterator[bytes]]]] = MappingProxyType(
    {"npz": ("application/zip", _npz), "c": ("text/x-c; charset=utf-8", _c)}
)
"""Media type and writer by the format's name."""
