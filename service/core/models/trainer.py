"""One stream's learner at work: applies entries, rebuilds after revisions, publishes versions, stores snapshots."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from learner import LearnerState, snapshot
from learner.online import LearnInfo
from service.clock import SECOND
from service.core.errors import StreamLostError
from service.core.models.keeping import Keeper
from service.core.models.lineage import Lineage
from service.core.models.rebuilding import Rebuild
from service.core.models.retention import Retention
from service.core.models.training import Replay, apprentice, base_of, restore
from service.core.models.watching import Watcher
from service.core.parts import Parts
from service.events import Topic
from service.storage import events, jobs, log
from service.storage import streams as stream_rows
from service.storage.leases import StreamLease
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_GROUP = 32
"""Entries applied between two commits."""

_HELD = 8
"""States kept in memory, so that taking back one of the last labels needs no snapshot."""

_HELD_BYTES = 64 * 1024 * 1024


class StreamTrainer:
    """Holds the newest state of one stream; only one thread may use it."""

    def __init__(self, parts: Parts, stream: Stream, state: LearnerState, keeper: Keeper) -> None:
        self._parts = parts
        self._stream = stream
        self._made = apprentice(stream, parts.settings.device)
        self._state = state
        self._held: deque[LearnerState] = deque([state], maxlen=_HELD)
        self._keeper = keeper
        self._rebuild: Rebuild | None = None
        self._retention = Retention(parts, stream.id, keeper)
        self._watcher = Watcher(parts, stream, keeper)
        self._looked_after_at = 0
        self._committed_seq = self._noted_seq = stream.applied_seq
        self._notes: list[dict[str, Any]] = []

    @classmethod
    def restored(cls, parts: Parts, stream: Stream, lease: StreamLease) -> StreamTrainer:
        """Return a trainer where the last commit left the stream; `advance` takes it to the end of its log.

        `stream` must have been read after the lease was taken: nobody else commits from then on.

        What came after that commit is applied anew, so that its updates are noted, told and counted like any other.
        """
        keeper, until = Keeper(parts, stream, lease), stream.applied_seq
        left = stream.log_seq - until
        parts.recovery.report(stream.name, 0, left)

        def work(connection: Connection) -> LearnerState:
            state = restore(
                connection,
                stream,
                parts.settings.device,
                until=until,
                progress=lambda done, total: parts.recovery.report(stream.name, done, total + left),
                damaged=keeper.damaged,
            )
            keeper.look(connection, Lineage.of(log.revisions(connection, stream.id, 0, until), until))
            return state

        state = parts.db.read_now(work)
        parts.models.publish(stream, state)
        return cls(parts, stream, state, keeper)

    def advance(self) -> bool:
        """Apply the next entries, or go on with a rebuild; return whether there was anything to do."""
        self._keeper.report()
        found: Sequence[AnyRow] = ()
        wanted = False
        if self._rebuild is None:
            found, wanted = self._parts.db.read_now(self._next)
        if self._rebuild is not None:
            self._go_on(self._rebuild)
            return True
        for entry in found:
            self._apply(entry)
        if self._state.seq > self._committed_seq or wanted or self._snapshot_is_late():
            if not self._parts.stopping.is_set():
                self._parts.precedence.give_way()
            self._commit(store=wanted)
        if found:
            return True
        self._parts.recovery.report(self._stream.name, 0, 0)
        return self._look_after()

    def _look_after(self) -> bool:
        """Keep what is kept how long and watch for drift, now and then; return whether there may be more to watch."""
        now = self._parts.clock.now()
        if now - self._looked_after_at < self._parts.settings.poll_seconds * SECOND:
            return False
        self._retention.keep(self._state.seq)
        more = self._watcher.look()
        self._looked_after_at = 0 if more else now
        return more

    def snapshot(self) -> None:
        """Store the newest state, unless it is stored already."""
        if self._rebuild is None and self._state.seq > self._keeper.stored_seq:
            self._commit(store=True)

    def _next(self, connection: Connection) -> tuple[Sequence[AnyRow], bool]:
        """Return the entries to apply next, and whether somebody waits for a snapshot; or begin a rebuild.

        Revisions further on are looked for first: all that are there are rebuilt once, and a label that was taken back
        before it was learned is never learned.
        """
        stream_id, after = self._stream.id, self._state.seq
        ahead = log.revisions(connection, stream_id, after)
        until = self._due(connection, [row.target_seq for row in ahead if row.kind == log.RETRACTION])
        ahead = [row for row in ahead if until is None or row.seq <= until]
        if ahead:
            replay = self._way_to(connection, ahead[-1].seq)
            self._rebuild = Rebuild(self._parts, self._stream, self._keeper, replay)
            return (), False
        room = self._parts.settings.snapshot_every - (after - self._keeper.stored_seq)
        found = log.entries(connection, stream_id, after, max(1, min(_GROUP, room)), until)
        return found, bool(not found and jobs.waiting(connection, stream_id, jobs.SNAPSHOT))

    def _due(self, connection: Connection, taken_back: list[int]) -> int | None:
        """Return the last entry that may be learned now, None where all may; answers may have to wait for a while."""
        if self._parts.stopping.is_set():
            return None
        after, now = self._state.seq, self._parts.clock.now()
        waiting = log.first_waiting(connection, self._stream.id, after, now, taken_back)
        return None if waiting is None else waiting - 1

    def _way_to(self, connection: Connection, until: int) -> Replay:
        stream = stream_rows.by_id(connection, self._stream.id) or self._stream
        lineage = Lineage.of(log.revisions(connection, stream.id, 0, until), until)
        base = base_of(connection, stream, self._made, lineage, held=self._held, damaged=self._keeper.damaged)
        return Replay(self._made, stream, lineage, base)

    def _go_on(self, rebuild: Rebuild) -> None:
        """Take a rebuild further; swap to its state, whole, once it is there."""
        try:
            state = rebuild.go_on(self._note)
        except StreamLostError:
            raise
        except Exception as error:
            self._rebuild = None
            rebuild.failed(error)
            raise
        if state is None:
            return
        self._rebuild, self._state = None, state
        revisions = self._parts.db.read_now(lambda c: log.revisions(c, self._stream.id, 0, state.seq))
        lineage = Lineage.of(revisions, state.seq)
        self._held = deque((s for s in self._held if lineage.continues(s.seq, s.seq)), maxlen=_HELD)
        self._parts.db.read_now(lambda c: self._keeper.look(c, lineage))
        self._swap(state)
        self._parts.metrics.rebuilds.labels(self._stream.name).inc()
        self._commit(rebuilt=rebuild)

    def _apply(self, entry: AnyRow) -> None:
        with self._parts.metrics.update_seconds.labels(self._stream.name).time():
            state, info = self._made.apply(self._state, entry)
        self._swap(state)
        if info is not None:
            self._note(entry, info)

    def _swap(self, state: LearnerState) -> None:
        self._state = state
        self._held.append(state)
        while len(self._held) > 1 and len(self._held) * snapshot.size(state) > _HELD_BYTES:
            self._held.popleft()
        self._parts.models.publish(self._stream, state)

    def _note(self, entry: AnyRow, info: LearnInfo) -> None:
        """Note what a label did when it was learned the first time."""
        if entry.seq <= self._noted_seq:
            return
        self._noted_seq, now = entry.seq, self._parts.clock.now()
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

    def _commit(self, *, store: bool = False, rebuilt: Rebuild | None = None) -> None:
        """Store what the updates did and how far they came, with a snapshot where one is due, in one transaction.

        Raises:
            StreamLostError: where another worker has taken the stream; nothing is stored then.
        """
        state, notes, now, keeper = self._state, self._notes, self._parts.clock.now(), self._keeper
        far = state.seq - keeper.stored_seq >= self._parts.settings.snapshot_every
        due = state.seq > keeper.stored_seq and (store or far or self._snapshot_is_late())
        written = keeper.write(state, as_of=state.seq, parent=keeper.stored_seq) if due else None

        def work(connection: Connection) -> bool:
            if keeper.hold(connection) is None:
                return False
            log.add_updates(connection, notes)
            stream_rows.update(connection, self._stream.id, applied_seq=state.seq)
            told = [self._event("update", now, seq=note["seq"], model_version=note["seq"]) for note in notes]
            if rebuilt is not None:
                jobs.finish(connection, self._stream.id, jobs.REBUILD, state.seq, total=rebuilt.total, now=now)
                told.append(self._event("update", now, seq=state.seq, model_version=state.seq, rebuilt=True))
            if written is not None:
                keeper.store(connection, written, now)
                events.prune(connection, self._stream.id, self._parts.settings.events_kept)
                told.append(self._event("snapshot", now, seq=state.seq))
            if store:
                jobs.finish(connection, self._stream.id, jobs.SNAPSHOT, state.seq, total=0, now=now)
            events.add(connection, told)
            return True

        there = self._parts.db.write_now(work, synced=written is not None or rebuilt is not None)
        self._notes, self._committed_seq = [], state.seq
        self._noted_seq = max(self._noted_seq, state.seq)
        if due:
            keeper.stored_seq, keeper.stored_at = state.seq, now
        if there:
            self._parts.metrics.version.labels(self._stream.name).set(state.seq)
            self._parts.tell(self._stream.id, Topic.MODEL_ADVANCED, Topic.EVENTS_ADDED)

    def _snapshot_is_late(self) -> bool:
        waited = self._parts.clock.now() - self._keeper.stored_at
        return self._state.seq > self._keeper.stored_seq and waited >= self._parts.settings.snapshot_seconds * SECOND

    def _event(self, kind: str, now: int, **data: Any) -> dict[str, Any]:
        return {"stream_id": self._stream.id, "type": kind, "data": data, "at": now}
