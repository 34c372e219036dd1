"""The single writer of its streams: applies each one's log in order, publishes every version, and stores snapshots."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from time import monotonic
from typing import NamedTuple, TypeVar

import structlog

from service.clock import SECOND
from service.core import idempotency
from service.core.errors import StreamLostError
from service.core.labels.purging import Purging
from service.core.labels.tending import Tending
from service.core.models.attempt import attempt
from service.core.models.holding import Holdings
from service.core.models.trainer import StreamTrainer
from service.core.parts import Parts
from service.events import Topic, Wakeup
from service.storage import streams
from service.storage.leases import StreamLease
from service.storage.streams import Stream
from service.storage.syncs import UncertainError

T = TypeVar("T")

logger = structlog.get_logger()

_FORGET_EVERY = 600 * SECOND

_TURN_SECONDS = 0.25
"""So long one stream is learned for, or rebuilt, while others are held: then it is their turn."""

_GATHER_SECONDS = 0.01
"""What comes within it is learned together; and whoever has just answered gets the next query before."""


class _Held(NamedTuple):
    lease: StreamLease
    trainer: StreamTrainer
    tending: Tending
    purging: Purging


class Worker:
    """One thread that learns for the streams it holds, and one that says that it lives."""

    def __init__(self, parts: Parts, caught_up: Event) -> None:
        self._parts = parts
        self._caught_up = caught_up
        self._holdings = Holdings(parts)
        self._held: dict[int, _Held] = {}
        self._in_doubt: dict[int, StreamLease] = {}
        self._wake = Event()
        self._due: Sequence[StreamLease] = ()
        self._surplus: Sequence[StreamLease] = ()
        self._unbalanced = Event()
        self._unbalanced.set()
        self._balanced_at = 0.0
        self._stop = Event()
        self._forgot_at = 0
        self._thread = Thread(target=self._run, name="engram-worker", daemon=True)
        self._heart = Thread(target=self._beat, name="engram-heartbeat", daemon=True)
        self._taker = parts.bus.take(lambda _: self._wake.set())
        self._unsubscribe = parts.bus.subscribe(self._hear)

    def start(self) -> None:
        """Begin: take streams, restore them, set `caught_up`, then learn."""
        self._thread.start()

    def drain(self) -> None:
        """Apply what was accepted, store snapshots, leave the streams to others, and end."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        self._taker.end()
        self._unsubscribe()

    def _hear(self, wakeup: Wakeup) -> None:
        if wakeup.topic is Topic.STREAMS_CHANGED:
            self._unbalanced.set()
            self._wake.set()

    def _run(self) -> None:
        if not self._until_well(lambda: attempt(self._parts, self._holdings.begin)):
            return
        if not self._parts.db.embedded:
            self._heart.start()
        if self._until_well(self._round):
            self._caught_up.set()
            logger.info("worker.ready", worker=self._holdings.worker, streams=len(self._held))
        while not self._stop.is_set():
            if self._wake.wait(self._parts.settings.poll_seconds):
                self._stop.wait(_GATHER_SECONDS)
            self._wake.clear()
            self._politely(self._round)
        self._end()

    def _until_well(self, work: Callable[[], bool]) -> bool:
        """Try until it goes well; return whether it did before the end."""
        while not work():
            if self._stop.wait(self._parts.settings.poll_seconds):
                return False
        return True

    def _end(self) -> None:
        self._round()
        for held in self._held.values():
            attempt(self._parts, held.trainer.snapshot)
        if self._heart.is_alive():
            self._heart.join()
        attempt(self._parts, self._holdings.end)

    def _beat(self) -> None:
        while not self._stop.wait(self._parts.settings.worker_heartbeat_seconds):
            attempt(self._parts, self._holdings.beat)

    def _round(self) -> bool:
        """Bring every stream held up to its log; return whether all went well.

        Which streams are due to this worker is looked up where streams came or went, and now and then: what wakes it
        most often is a label of a stream that it holds, and who holds one that another has taken is told at its commit.
        """
        found: dict[int, Stream] = {}

        def look() -> None:
            now = monotonic()
            if self._unbalanced.is_set() or now - self._balanced_at > self._parts.settings.poll_seconds:
                self._unbalanced.clear()
                self._due, self._surplus = self._holdings.balance()
                self._balanced_at = now
            found.update({stream.id: stream for stream in self._parts.db.read_now(streams.every)})

        if not attempt(self._parts, look):
            self._unbalanced.set()
            return False
        self._keep_only({*self._due, *self._surplus}, found)
        well = [
            attempt(self._parts, partial(self._unless_removed, found[lease.stream_id], lease))
            for lease in self._due
            if lease.stream_id in found
        ]
        for lease in self._surplus:
            attempt(self._parts, partial(self._give_back, lease))
        self._surplus = ()
        self._taker.choose(self._held)
        self._parts.metrics.streams_held.set(len(self._held))
        attempt(self._parts, self._forget_old_keys)
        return all(well)

    def _keep_only(self, leases: Collection[StreamLease], found: Collection[int]) -> None:
        """Let go of what another worker has taken, and of streams that are no more."""
        for stream_id, lease in [*((i, held.lease) for i, held in self._held.items()), *self._in_doubt.items()]:
            if stream_id not in found:
                self._drop(stream_id)
                self._parts.forget(stream_id)
            elif lease not in leases:
                self._lose(lease)

    def _unless_removed(self, stream: Stream, lease: StreamLease) -> None:
        """Bring a stream up to its log; what is not found any more where it was removed in the middle is no failure."""
        try:
            self._catch_up(stream, lease)
        except Exception:
            if self._parts.db.read_now(lambda c: streams.by_id(c, stream.id)) is not None:
                raise
            self._drop(stream.id)
            self._parts.forget(stream.id)

    def _catch_up(self, stream: Stream, lease: StreamLease) -> None:
        if stream.id not in self._held:
            trainer = StreamTrainer.restored(self._parts, stream, lease)
            self._held[stream.id] = _Held(lease, trainer, Tending(self._parts), Purging(self._parts))
            self._in_doubt.pop(stream.id, None)
        held = self._held[stream.id]
        begin = monotonic()
        try:
            held.purging.keep(stream)
            while self._politely(held.trainer.advance):
                self._politely(partial(held.tending.step, stream))
                if monotonic() - begin > _TURN_SECONDS and self._others_wait():
                    self._wake.set()
                    return
            # What wakes the worker meanwhile goes first, and so does another look round after a while; then on.
            begin = monotonic()
            while (rest := self._politely(partial(held.tending.step, stream))) is not None and not self._stop.is_set():
                if self._wake.wait(rest):
                    break
                if monotonic() - begin > self._parts.settings.poll_seconds:
                    self._wake.set()
                    break
        except StreamLostError:
            self._lose(lease)
        except UncertainError:
            # Whether the last commit happened is in the tables: begin again from there, if the stream is still ours.
            self._in_doubt[stream.id] = self._held.pop(stream.id).lease
            raise

    def _others_wait(self) -> bool:
        """Return whether other streams have their turn; at the beginning and the end each is brought up to its log."""
        return len(self._held) > 1 and self._caught_up.is_set() and not self._stop.is_set()

    def _politely(self, work: Callable[[], T]) -> T:
        """Do one piece of work once nobody waits; while the service ends, at once."""
        if not self._stop.is_set():
            self._parts.precedence.give_way()
        return work()

    def _give_back(self, lease: StreamLease) -> None:
        """Leave a stream to a worker that has fewer, its newest state stored."""
        held = self._held.get(lease.stream_id)
        self._drop(lease.stream_id)
        try:
            if held is not None:
                with suppress(StreamLostError):
                    held.trainer.snapshot()
        finally:
            self._holdings.give_back(lease)

    def _drop(self, stream_id: int) -> None:
        self._held.pop(stream_id, None)
        self._in_doubt.pop(stream_id, None)

    def _lose(self, lease: StreamLease) -> None:
        self._drop(lease.stream_id)
        self._unbalanced.set()
        self._parts.metrics.streams_lost.inc()
        logger.warning("worker.stream_lost", stream_id=lease.stream_id, fence=lease.fence)

    def _forget_old_keys(self) -> None:
        now = self._parts.clock.now()
        if now - self._forgot_at > _FORGET_EVERY:
            self._forgot_at = now
            hours = self._parts.settings.idempotency_hours
            self._parts.db.write_now(lambda c: idempotency.forget_old(c, self._parts.clock, hours))
