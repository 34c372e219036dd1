"""A model on its way to a moment that revisions changed: in groups, telling how far it is, and kept through a crash."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep

from sqlalchemy import Connection

from learner import LearnerState
from learner.online import LearnInfo
from service.clock import SECOND
from service.core.models.keeping import Keeper
from service.core.models.training import Replay
from service.core.parts import Parts
from service.storage import jobs
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_GROUP = 32
"""Entries applied between two looks at the clock."""

_REPORT_EVERY = SECOND // 4

_BREATH_SECONDS = 0.0002
"""Rest after each entry, so that requests waiting for the interpreter get it."""

Note = Callable[[AnyRow, LearnInfo], None]


class Rebuild:
    """Drives one replay; the state that scores stays as it is until this one is finished."""

    def __init__(self, parts: Parts, stream: Stream, keeper: Keeper, replay: Replay) -> None:
        self._parts = parts
        self._stream = stream
        self._keeper = keeper
        self._replay = replay
        self._kept_seq = replay.state.seq
        self._reported_at = 0

    @property
    def until(self) -> int:
        """The entry that this goes to."""
        return self._replay.lineage.until

    @property
    def total(self) -> int:
        """How many entries lie on the way."""
        return self._replay.total

    def go_on(self, note: Note) -> LearnerState | None:
        """Apply the next entries; return the state once it is there. `note` is told of every label learned."""
        replay = self._replay
        if not replay.finished:
            room = self._parts.settings.snapshot_every - (replay.state.seq - self._kept_seq)
            for entry in self._parts.db.read_now(lambda c: replay.read(c, max(1, min(_GROUP, room)))):
                info = replay.apply(entry)
                if info is not None:
                    note(entry, info)
                    sleep(_BREATH_SECONDS)
        if replay.finished:
            return replay.state
        self._report()
        return None

    def failed(self, error: Exception) -> None:
        """Tell why this try came to nothing."""
        why = str(error) or type(error).__name__

        def work(connection: Connection) -> None:
            if self._keeper.hold(connection) is not None:
                jobs.fail(connection, self._stream.id, why, self.until)

        self._parts.db.write_now(work)

    def _report(self) -> None:
        """Tell how far this is, and store the state now and then."""
        replay, now = self._replay, self._parts.clock.now()
        due = replay.state.seq - self._kept_seq >= self._parts.settings.snapshot_every
        if not due and now - self._reported_at < _REPORT_EVERY:
            return
        written = self._keeper.write(replay.state, as_of=self.until, parent=self._kept_seq) if due else None

        def work(connection: Connection) -> None:
            if self._keeper.hold(connection) is None:
                return
            jobs.report(connection, self._stream.id, self.until, done=replay.done, total=replay.total, now=now)
            if written is not None:
                self._keeper.store(connection, written, now)

        self._parts.db.write_now(work)
        self._reported_at = now
        if due:
            self._kept_seq = replay.state.seq
        self._parts.recovery.report(self._stream.name, replay.done, replay.total)
