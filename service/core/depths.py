"""How far down a queue the leases of one model version have looked, so that the next one looks further."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple

from service.storage.queue import Place

_STREAMS = 10_000
"""More streams than these are not remembered: they come and go."""


class Depth(NamedTuple):
    """Down to which place queries were looked at with a version; `after` None: down to the end."""

    version: int
    after: Place | None


class Depths:
    """Holds the depth of every stream, for the newest version that looked. Any thread may use it."""

    def __init__(self) -> None:
        self._depths: dict[int, Depth] = {}
        self._lock = Lock()

    def reached(self, stream_id: int, version: int) -> Depth | None:
        """Return how far that version has looked; None: nobody has looked with it yet."""
        depth = self._depths.get(stream_id)
        return depth if depth is not None and depth.version == version else None

    def note(self, stream_id: int, depth: Depth) -> None:
        """Note that a look has come so far, unless a newer version has looked since."""
        with self._lock:
            known = self._depths.get(stream_id)
            if known is not None and known.version > depth.version:
                return
            if known is None and len(self._depths) >= _STREAMS:
                self._depths.clear()
            self._depths[stream_id] = depth
