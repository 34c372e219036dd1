"""Keeps a process's read-only models at what the writers have committed, whichever process those run in."""

from __future__ import annotations

from functools import partial
from threading import Event, Thread

import structlog

from service.core.models.attempt import attempt
from service.core.parts import Parts
from service.events import Topic, Wakeup
from service.storage import streams
from service.storage.streams import Stream

logger = structlog.get_logger()


class Follower:
    """One thread that follows every stream, on news or by looking."""

    def __init__(self, parts: Parts, after: Event | None = None) -> None:
        self._parts = parts
        self._after = after
        self._wake = Event()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="engram-follower", daemon=True)
        self._unsubscribe = parts.bus.subscribe(self._hear)

    def start(self) -> None:
        """Begin: wait for `after`, where there is one, restore every stream, set `ready`, then follow."""
        self._thread.start()

    def end(self) -> None:
        """Follow no more."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        self._unsubscribe()

    def _hear(self, wakeup: Wakeup) -> None:
        if wakeup.topic in (Topic.MODEL_ADVANCED, Topic.STREAMS_CHANGED):
            self._wake.set()

    def _run(self) -> None:
        pause = self._parts.settings.poll_seconds
        while self._after is not None and not self._after.wait(pause):
            if self._stop.is_set():
                return
        while not self._round():
            if self._stop.wait(pause):
                return
        self._parts.ready.set()
        logger.info("models.ready", streams=len(self._parts.models.known()))
        while not self._stop.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            self._round()

    def _round(self) -> bool:
        """Bring every model to its stream's applied state; return whether all went well."""
        found: list[Stream] = []
        if not attempt(self._parts, lambda: found.extend(self._parts.db.read_now(streams.every))):
            return False
        for gone in self._parts.models.known() - {stream.id for stream in found}:
            self._parts.forget(gone)
        well = [attempt(self._parts, partial(self._parts.models.follow, stream)) for stream in found]
        return all(well)
