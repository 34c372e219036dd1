"""The single writer: applies each stream's log in order, publishes every version, and stores snapshots."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event, Thread

import structlog

from service.clock import SECOND
from service.core import idempotency
from service.core.parts import Parts
from service.core.trainer import StreamTrainer
from service.events import Topic, Wakeup
from service.storage import streams
from service.storage.streams import Stream

logger = structlog.get_logger()

_FORGET_EVERY = 600 * SECOND


class Worker:
    """One thread that learns for all streams."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._trainers: dict[int, StreamTrainer] = {}
        self._wake = Event()
        self._stop = Event()
        self._forgot_at = 0
        self._thread = Thread(target=self._run, name="engram-worker", daemon=True)
        self._unsubscribe = parts.bus.subscribe(self._hear)

    def start(self) -> None:
        """Begin: restore every stream, then learn."""
        self._thread.start()

    def drain(self) -> None:
        """Apply what was accepted, store snapshots, and end."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        self._unsubscribe()

    def _hear(self, wakeup: Wakeup) -> None:
        if wakeup.topic is Topic.LOG_GREW:
            self._wake.set()

    def _run(self) -> None:
        while not self._round():
            if self._stop.wait(self._parts.settings.poll_seconds):
                return
        self._parts.ready.set()
        logger.info("worker.ready", streams=len(self._trainers))
        while not self._stop.is_set():
            self._wake.wait(self._parts.settings.poll_seconds)
            self._wake.clear()
            self._round()
        self._round()
        for trainer in self._trainers.values():
            self._attempt(trainer.snapshot)

    def _round(self) -> bool:
        """Bring every stream up to its log; return whether all went well."""
        found: list[Stream] = []
        if not self._attempt(lambda: found.extend(self._parts.db.read_now(streams.every))):
            return False
        for gone in self._trainers.keys() - {stream.id for stream in found}:
            del self._trainers[gone]
            self._parts.models.forget(gone)
        well = [self._attempt(partial(self._catch_up, stream)) for stream in found]
        self._attempt(self._forget_old_keys)
        return all(well)

    def _catch_up(self, stream: Stream) -> None:
        trainer = self._trainers.get(stream.id)
        if trainer is None:
            trainer = StreamTrainer.restored(self._parts, stream)
            self._trainers[stream.id] = trainer
        while trainer.advance():
            pass

    def _forget_old_keys(self) -> None:
        now = self._parts.clock.now()
        if now - self._forgot_at > _FORGET_EVERY:
            self._forgot_at = now
            hours = self._parts.settings.idempotency_hours
            self._parts.db.write_now(lambda c: idempotency.forget_old(c, self._parts.clock, hours))

    def _attempt(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except Exception:
            # Whatever it was, the other streams go on, and this one is tried again in the next round.
            self._parts.metrics.worker_failures.inc()
            logger.exception("worker.round_failed")
            return False
        return True
