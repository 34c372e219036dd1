"""How far the restoring of models is, for whoever waits for it."""

from __future__ import annotations

from threading import Lock
from typing import Any


class Recovery:
    """Counts the log entries that each stream still has to replay before the service is ready."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: dict[str, tuple[int, int]] = {}

    def report(self, stream: str, done: int, total: int) -> None:
        """Note that `done` of `total` entries of a stream are replayed."""
        with self._lock:
            self._streams[stream] = (done, total)

    def body(self) -> dict[str, Any]:
        """Return the progress, altogether and of each stream that is not done."""
        with self._lock:
            found = dict(self._streams)
        return {
            "streams": len(found),
            "streams_done": sum(done >= total for done, total in found.values()),
            "entries_done": sum(done for done, _ in found.values()),
            "entries_total": sum(total for _, total in found.values()),
            "waiting": {name: {"done": d, "total": t} for name, (d, t) in sorted(found.items()) if d < t},
        }
