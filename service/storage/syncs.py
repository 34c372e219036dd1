"""What was committed reaches the disk: one sync for all who wait for it, beside the writer, who goes on meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Condition, Thread
from typing import Any

import structlog

logger = structlog.get_logger()

Outcome = tuple[Future[Any], Any, BaseException | None]
"""Who waits for a piece of work, what it came to, and why it failed if it did."""

SYNC_FAILED = "the disk failed to sync; start again once it is sound"

_sync = getattr(os, "fdatasync", os.fsync)


class UncertainError(Exception):
    """A commit may have happened or not, or may not last; or nothing is committed any more, since it would not."""


class Ahead:
    """What SQLite writes ahead of a database's file. One thread at a time may use it.

    It stays open between syncs: whatever the system failed to write meanwhile is told at the next sync of each that has
    the file open, though somebody else, who copies from it, was told before.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + "-wal")
        self._descriptor: int | None = None

    def sync(self) -> None:
        """Return once all that is written ahead is on disk.

        Whoever hangs up last removes the file. Nothing in it is then lacking in the database, which was synced before.

        Raises:
            OSError: where the disk fails.
        """
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return
        if self._descriptor is not None and not os.path.samestat(os.fstat(self._descriptor), there):
            self.close()
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDONLY)
        _sync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def tell(outcomes: Sequence[Outcome]) -> None:
    """Tell everybody what their work came to."""
    for future, result, failure in outcomes:
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)


class Syncs:
    """A thread that syncs, and then tells all who waited when it began.

    A disk that failed once is trusted no more: what it says it has written later may not be what it failed to write.
    Whoever waits then is told that what they wrote may not last.

    Attributes:
        failed: whether the disk has failed.
    """

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._waiting: list[Outcome] = []
        self._news = Condition()
        self._closed = False
        self.failed = False
        self._thread = Thread(target=self._run, name="engram-syncs", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Return how many wait for a sync that has not begun."""
        return len(self._waiting)

    def before(self, outcomes: Sequence[Outcome]) -> None:
        """Tell these outcomes, of what is committed by now, once it is on disk."""
        with self._news:
            self._waiting.extend(outcomes)
            self._news.notify()

    def close(self) -> None:
        """Sync for all who wait, and end."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join()

    def _run(self) -> None:
        while outcomes := self._next():
            try:
                if not self.failed:
                    self._sync()
            except Exception as error:  # noqa: BLE001 - whatever it was, nothing is known to be on disk
                self.failed = True
                logger.error("database.sync_failed", error=str(error))  # noqa: TRY400 - one line
            if self.failed:
                outcomes = [(future, None, UncertainError(SYNC_FAILED)) for future, _result, _failure in outcomes]
            tell(outcomes)

    def _next(self) -> list[Outcome]:
        """Wait for somebody who waits, and return all who do; nobody once this is closed."""
        with self._news:
            while not (self._waiting or self._closed):
                self._news.wait()
            outcomes, self._waiting = self._waiting, []
            return outcomes
