"""One stream's learner at work: applies entries, publishes versions, notes what happened, stores snapshots."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from learner import LearnerState, snapshot
from service.clock import SECOND
from service.core.errors import StreamLostError
from service.core.parts import Parts
from service.core.training import Apprentice, apprentice, restore
from service.events import Topic
from service.storage import events, leases, log, snapshots
from service.storage import streams as stream_rows
from service.storage.leases import StreamLease
from service.storage.streams import Stream

_GROUP = 32
"""Entries applied between two commits."""


class StreamTrainer:
    """Holds the newest state of one stream; only one thread may use it."""

    def __init__(self, parts: Parts, stream: Stream, lease: StreamLease, state: LearnerState, stored_seq: int) -> None:
        self._parts = parts
        self._stream = stream
        self._lease = lease
        self._made: Apprentice = apprentice(stream, parts.settings.device)
        self._state = state
        self._committed_seq = stream.applied_seq
        self._stored_seq = stored_seq
        self._stored_at = parts.clock.now()
        self._notes: list[dict[str, Any]] = []

    @classmethod
    def restored(cls, parts: Parts, stream: Stream, lease: StreamLease) -> StreamTrainer:
        """Return a trainer where the last commit left the stream; `advance` takes it to the end of its log.

        `stream` must have been read after the lease was taken: nobody else commits from then on.

        What came after that commit is applied anew, so that its updates are noted, told and counted like any other.
        """

        def work(connection: Connection) -> tuple[LearnerState, int]:
            state = restore(connection, stream, parts.settings.device, until=stream.applied_seq)
            stored = snapshots.newest_first(connection, stream.id)
            return state, stored[0].seq if stored else 0

        state, stored_seq = parts.db.read_now(work)
        parts.models.publish(stream, state)
        return cls(parts, stream, lease, state, stored_seq)

    def advance(self) -> bool:
        """Apply the next entries; return whether there were any."""
        found = self._parts.db.read_now(lambda c: log.entries(c, self._stream.id, self._state.seq, _GROUP))
        for entry in found:
            self._apply(entry)
        if self._state.seq > self._committed_seq or self._snapshot_is_late():
            self._commit()
        return bool(found)

    def snapshot(self) -> None:
        """Store the newest state, unless it is stored already."""
        if self._state.seq > self._stored_seq:
            self._commit(store=True)

    def _apply(self, entry: Any) -> None:
        if entry.kind == log.RETRACTION:
            device = self._parts.settings.device
            self._state = self._parts.db.read_now(lambda c: restore(c, self._stream, device, until=entry.seq))
            info = None
        else:
            with self._parts.metrics.update_seconds.labels(self._stream.name).time():
                self._state, info = self._made.apply(self._state, entry)
        self._parts.models.publish(self._stream, self._state)
        if info is not None:
            now = self._parts.clock.now()
            self._notes.append(
                {
                    "stream_id": self._stream.id,
                    "seq": entry.seq,
                    "loss_bits": info.loss_bits,
                    "mean_step": info.mean_step,
                    "lag": max(0, now - entry.at),
                    "at": now,
                }
            )
            self._parts.metrics.updates.labels(self._stream.name).inc()

    def _commit(self, *, store: bool = False) -> None:
        """Store what the updates did and how far they came, with a snapshot where one is due, in one transaction.

        Raises:
            StreamLostError: where another worker has taken the stream; nothing is stored then.
        """
        state, notes, now = self._state, self._notes, self._parts.clock.now()
        due = store or state.seq - self._stored_seq >= self._parts.settings.snapshot_every or self._snapshot_is_late()
        content = snapshot.dump(state) if due and state.seq > self._stored_seq else None

        def work(connection: Connection) -> bool:
            if stream_rows.lock(connection, self._stream.id) is None:
                return False
            if not leases.confirm(connection, self._lease):
                raise StreamLostError
            log.add_updates(connection, self._stream.id, notes)
            stream_rows.update(connection, self._stream.id, applied_seq=state.seq)
            told = [self._event("update", now, seq=note["seq"], model_version=note["seq"]) for note in notes]
            if content is not None:
                snapshots.add(connection, self._stream.id, state.seq, content, snapshot.state_hash(state), now)
                snapshots.thin(connection, self._stream.id, self._parts.settings.snapshots_kept)
                events.prune(connection, self._stream.id, self._parts.settings.events_kept)
                told.append(self._event("snapshot", now, seq=state.seq))
            events.add(connection, told)
            return True

        there = self._parts.db.write_now(work)
        self._notes, self._committed_seq = [], state.seq
        if content is not None:
            self._stored_seq, self._stored_at = state.seq, now
            self._parts.metrics.snapshots.labels(self._stream.name).inc()
        if there:
            self._parts.metrics.version.labels(self._stream.name).set(state.seq)
            self._parts.tell(self._stream.id, Topic.MODEL_ADVANCED, Topic.EVENTS_ADDED)

    def _snapshot_is_late(self) -> bool:
        waited = self._parts.clock.now() - self._stored_at
        return self._state.seq > self._stored_seq and waited >= self._parts.settings.snapshot_seconds * SECOND

    def _event(self, kind: str, now: int, **data: int) -> dict[str, Any]:
        return {"stream_id": self._stream.id, "type": kind, "data": data, "at": now}
