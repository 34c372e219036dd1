"""What of the log is kept how long: features as far back as it is to be replayed, and the snapshot it begins with."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from learner import snapshot
from service.clock import SECOND
from service.core.models.keeping import Keeper
from service.core.models.lineage import Lineage
from service.core.models.training import read_snapshot
from service.core.parts import Parts
from service.core.specs import RetentionSpec
from service.events import Topic
from service.storage import events, log, snapshots
from service.storage import streams as stream_rows
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_DAY = 86_400 * SECOND
_LOOK_EVERY = 60 * SECOND
_PAGE = 500

logger = structlog.get_logger()


class Retention:
    """Lets go of what one stream's replay needs no longer; labels and the state stay."""

    def __init__(self, parts: Parts, stream_id: int, keeper: Keeper) -> None:
        self._parts = parts
        self._keeper = keeper
        self._stream_id = stream_id
        self._rule = RetentionSpec()
        self._looked_at = 0

    def keep(self, applied_seq: int) -> None:
        """Look whether something is over its time, at most once a minute while the rule stays the same."""
        stream = self._parts.db.read_now(lambda c: stream_rows.by_id(c, self._stream_id))
        now = self._parts.clock.now()
        rule = RetentionSpec(**((stream and stream.retention) or {}))
        if stream is None or (rule == self._rule and now - self._looked_at < _LOOK_EVERY):
            return
        self._rule, self._looked_at = rule, now
        border = 0
        if rule.replay_entries is not None:
            border = applied_seq - rule.replay_entries
        if rule.replay_days is not None:
            days = int(rule.replay_days * _DAY)
            border = max(border, self._parts.db.read_now(lambda c: log.newest_before(c, self._stream_id, now - days)))
        if min(border, applied_seq) > stream.horizon_seq:
            self._move_horizon(min(border, applied_seq), now)
        self._drop_features()

    def _move_horizon(self, border: int, now: int) -> None:
        """Make the newest sound snapshot up to `border` the beginning, if one leads to all that was accepted since."""

        def work(connection: Connection) -> int:
            stream = self._keeper.hold(connection)
            if stream is None:
                return 0
            revisions = log.revisions(connection, stream.id)
            present = Lineage.of(revisions, stream.log_seq)
            rows = snapshots.newest_first(connection, stream.id)
            fit = (row for row in rows if row.damaged_at is None and stream.horizon_seq < row.seq <= border)
            base = next((r for r in fit if present.continues(r.seq, r.as_of) and _sound(connection, stream, r)), None)
            if base is None:
                return 0
            snapshots.pin(connection, stream.id, base.number)
            gone = {row.number for row in rows if not _follows(base, row, Lineage.of(revisions, row.as_of))}
            snapshots.remove(connection, stream.id, gone)
            stream_rows.update(connection, stream.id, horizon_seq=base.seq)
            return int(base.seq)

        self._tell(now, horizon_seq=self._parts.db.write_now(work))

    def _drop_features(self) -> None:
        def work(connection: Connection) -> int:
            stream = self._keeper.hold(connection)
            return 0 if stream is None else log.drop_features(connection, stream.id, stream.horizon_seq, _PAGE)

        while self._parts.db.write_now(work):
            pass

    def _tell(self, now: int, **data: int) -> None:
        if any(data.values()):
            event = {"stream_id": self._stream_id, "type": "purge", "data": data, "at": now}
            self._parts.db.write_now(lambda c: events.add(c, [event]))
            self._parts.tell(self._stream_id, Topic.EVENTS_ADDED)


def _sound(connection: Connection, stream: Stream, row: AnyRow) -> bool:
    """Return whether a snapshot can be read: what it stands for is about to go."""
    try:
        read_snapshot(connection, stream, row)
    except snapshot.BadSnapshotError as error:
        logger.warning("snapshot.damaged", stream=stream.name, seq=row.seq, error=str(error))
        return False
    return True


def _follows(base: AnyRow, row: AnyRow, lineage: Lineage) -> bool:
    """Return whether a snapshot can be computed from the beginning `base`."""
    return bool(row.number == base.number or (row.seq >= base.seq and lineage.continues(base.seq, base.as_of)))
