"""How far down a queue a person's leases of one model version have looked, so that the next one looks further."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple

from service.storage.queue import Place

_LOOKERS = 10_000
"""More people and streams than these are not remembered: they come and go."""


class Depth(NamedTuple):
    """Down to which place queries were looked at with a version; `after` None: down to the end."""

    version: int
    after: Place | None


class Depths:
    """Holds how deep each person looked into each stream, with the newest version that did. Any thread may use it.

    Of each by themselves: who has skipped thousands of the best begins far below what others have not seen.
    """

    def __init__(self) -> None:
        self._depths: dict[tuple[int, str], Depth] = {}
        self._lock = Lock()

    def reached(self, stream_id: int, who: str, version: int) -> Depth | None:
        """Return how far `who` has looked with that version; None: not at all yet."""
        depth = self._depths.get((stream_id, who))
        return depth if depth is not None and depth.version == version else None

    def note(self, stream_id: int, who: str, depth: Depth) -> None:
        """Note that a look of `who` has come so far, unless a newer version was looked with since."""
        with self._lock:
            known = self._depths.get((stream_id, who))
            if known is not None and known.version > depth.version:
                return
            if known is None and len(self._depths) >= _LOOKERS:
                self._depths.clear()
            self._depths[stream_id, who] = depth
