"""What was written ahead goes to disk, and into SQLite's file, in the background, so that no commit waits for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread

from service.storage.syncs import Ahead

BACKSTOP_PAGES = 16_384
"""Where so many pages are written ahead, 64 MiB, a commit does it itself: the background does not get through."""

_EVERY_SECONDS = 0.2
_TRIES = 5
"""What is written meanwhile is left; the next writer begins the file anew only where nothing is."""


class Checkpoints:
    """One thread that copies the pages of the write-ahead log to the database, beside readers and the writer.

    A copy begins with a sync of the log: a commit that did not wait for its own is on disk soon after, too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ahead = Ahead(path)
        self._seen = 0
        self._stop = Event()
        self._thread = Thread(target=self._run, name="engram-checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; what is left is copied by whoever hangs up last."""
        self._stop.set()
        self._thread.join()
        self._ahead.close()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            with suppress(OSError, sqlite3.Error):  # no file yet, or somebody else is at it: in a moment again
                written = self._ahead.path.stat().st_mtime_ns
                if written != self._seen and self._copy():
                    self._seen = written

    def _copy(self) -> bool:
        """Copy what is written ahead; return whether that was all. If it was not, all is on disk at least."""
        with closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            for _ in range(_TRIES):
                _busy, ahead, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if copied == ahead:
                    return True
        self._ahead.sync()  # a long read keeps the rest from being copied, and from its sync
        return False
