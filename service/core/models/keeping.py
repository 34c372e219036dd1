"""Storing a stream's states: what is written of each, which are kept, and what is told where one is damaged."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection

from learner import LearnerState, snapshot
from service.core.errors import StreamLostError
from service.core.models.lineage import Lineage
from service.core.models.origin import origin
from service.core.models.thinning import surplus
from service.core.parts import Parts
from service.events import Topic
from service.storage import events, leases, snapshots
from service.storage import streams as stream_rows
from service.storage.leases import StreamLease
from service.storage.streams import Stream
from service.storage.tables import AnyRow


class Written(NamedTuple):
    """A snapshot as it is stored: of which entry, of what is known up to `as_of`, and its header."""

    seq: int
    as_of: int
    content: bytes
    header: dict[str, Any]


class Keeper:
    """Writes one stream's snapshots, and remembers which of them lead to the present.

    Attributes:
        stored_seq: the newest snapshot that leads to the newest state; 0 where there is none.
        stored_at: when it was stored, or when this began.
    """

    def __init__(self, parts: Parts, stream: Stream, lease: StreamLease) -> None:
        self.stored_seq = 0
        self.stored_at = parts.clock.now()
        self._parts = parts
        self._stream = stream
        self._lease = lease
        self._damaged: list[tuple[AnyRow, str]] = []

    def hold(self, connection: Connection) -> Stream | None:
        """Lock the stream for a transaction of its one writer; None where the stream is gone.

        Everything that the writer stores is stored behind this. Nobody takes the stream before the transaction ends.

        Raises:
            StreamLostError: where another worker has taken it.
        """
        stream = stream_rows.lock(connection, self._stream.id)
        if stream is not None and not leases.confirm(connection, self._lease):
            raise StreamLostError
        return stream

    def look(self, connection: Connection, lineage: Lineage) -> None:
        """Find out anew which snapshot is the newest that leads to the present."""
        rows = snapshots.newest_first(connection, self._stream.id, sound=True)
        self.stored_seq = max((row.seq for row in rows if lineage.continues(row.seq, row.as_of)), default=0)

    def write(self, state: LearnerState, *, as_of: int, parent: int) -> Written:
        """Return a snapshot to be stored: made before the transaction, which keeps others waiting."""
        about = {"parent": parent, "as_of": as_of, "made_with": dict(origin(self._parts.settings.device))}
        content = snapshot.dump(state, about)
        return Written(state.seq, as_of, content, snapshot.read_header(content))

    def store(self, connection: Connection, written: Written, now: int) -> None:
        """Store a snapshot and let go of those that have become too many."""
        snapshots.add(connection, self._stream.id, **written._asdict(), state_hash=written.header["hash"], now=now)
        rows = snapshots.newest_first(connection, self._stream.id)
        free = surplus((row.number for row in rows), self._parts.settings.snapshots_kept)
        snapshots.remove(connection, self._stream.id, free - {row.number for row in rows if row.pinned})
        self._parts.metrics.snapshots.labels(self._stream.name).inc()

    def damaged(self, row: AnyRow, why: str) -> None:
        """Remember a snapshot that could not be read; `report` tells of it."""
        self._damaged.append((row, why))

    def report(self) -> None:
        """Tell of damaged snapshots, of each once."""
        if not self._damaged:
            return
        found, now = self._damaged, self._parts.clock.now()

        def work(connection: Connection) -> None:
            if self.hold(connection) is None:
                return
            for row, why in found:
                if snapshots.mark_damaged(connection, self._stream.id, row.number, now):
                    data: dict[str, Any] = {"seq": row.seq, "damaged": True, "detail": why}
                    event = {"stream_id": self._stream.id, "type": "snapshot", "data": data, "at": now}
                    events.add(connection, [event])
                    self._parts.metrics.damaged.labels(self._stream.name).inc()

        self._parts.db.write_now(work)
        self._damaged = []
        self._parts.tell(self._stream.id, Topic.EVENTS_ADDED)
