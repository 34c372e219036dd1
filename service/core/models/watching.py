"""The watch over one stream: its samples and labels in order, each once, for signs that the stream has changed."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection

from learner.watching.drift import Alarm, DriftWatch
from service.clock import iso
from service.core.models.keeping import Keeper
from service.core.parts import Parts
from service.core.specs import QuerySpec
from service.events import Topic
from service.storage import events, watches
from service.storage import streams as stream_rows
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_PAGE = 500
"""Samples, and labels, looked at between two commits."""

_KEPT = 20
"""Newest alarms that the figures show."""


class _Seen(NamedTuple):
    """What one look found: the watch as it stands then, the alarms as events, and whether there may be more."""

    values: dict[str, Any]
    alarms: list[dict[str, Any]]
    more: bool


class Watcher:
    """Looks at what came since it last looked; only the stream's writer may use it.

    What was seen, how far that is, and what was found are stored in one transaction, so that after a crash the watch
    goes on where it was: nothing is looked at twice, and no alarm is lost or told again.
    """

    def __init__(self, parts: Parts, stream: Stream, keeper: Keeper) -> None:
        self._parts = parts
        self._name = stream.name
        self._stream_id = stream.id
        self._keeper = keeper

    def look(self) -> bool:
        """Look at the next samples and labels; return whether there may be more.

        Raises:
            StreamLostError: where another worker has taken the stream; nothing is stored then.
        """
        seen = self._parts.db.read_now(self._look)
        if seen is None or not self._parts.db.write_now(lambda c: self._keep(c, seen), synced=False):
            return False
        if seen.alarms:
            self._parts.metrics.drifts.labels(self._name).inc(len(seen.alarms))
            self._parts.tell(self._stream_id, Topic.EVENTS_ADDED)
        return seen.more

    def _look(self, connection: Connection) -> _Seen | None:
        """Return what the next samples and labels say; None where there are none.

        Nobody else moves the watch on, so what is read here still holds when it is kept: writers need not wait for it.
        """
        found = watches.one(connection, self._stream_id)
        n, seq, known = (0, 0, []) if found is None else (found.sample_n, found.seq, found.alarms)
        labels = watches.labels_after(connection, self._stream_id, seq, _PAGE)
        samples = watches.samples_after(connection, self._stream_id, n, _PAGE)
        if not labels and not samples:
            return None
        watch = DriftWatch() if found is None else DriftWatch.from_json(found.state)
        alarms = [self._told(row, alarm) for row in labels for alarm in _label(watch, row)]
        alarms += [self._told(row, alarm) for row in samples for alarm in _sample(watch, row)]
        values = {
            "sample_n": samples[-1].n if samples else n,
            "seq": labels[-1].seq if labels else seq,
            "state": watch.to_json(),
            "alarms": [*known, *({**event["data"], "at": iso(event["at"])} for event in alarms)][-_KEPT:],
        }
        return _Seen(values, alarms, max(len(samples), len(labels)) == _PAGE)

    def _keep(self, connection: Connection, seen: _Seen) -> bool:
        """Store what was seen; return False where the stream is gone."""
        stream = self._keeper.hold(connection)
        if stream is None:
            return False
        watches.store(connection, self._stream_id, seen.values)
        events.add(connection, seen.alarms)
        policy = QuerySpec(**stream.query).policy()
        if seen.alarms and policy.drift_exploration > 1.0:
            stream_rows.explore_more(connection, self._stream_id, policy.drift_samples)
        return True

    def _told(self, row: AnyRow, alarm: Alarm) -> dict[str, Any]:
        return {"stream_id": self._stream_id, "type": "drift", "data": alarm._asdict(), "at": row.at}


def _label(watch: DriftWatch, row: AnyRow) -> list[Alarm]:
    found = None if row.correct is None else watch.label(right=row.correct, confidence=row.confidence)
    return [] if found is None else [found]


def _sample(watch: DriftWatch, row: AnyRow) -> list[Alarm]:
    return [] if row.predicted is None else watch.sample(row.predicted, row.novelty or 0.0, learned=row.model_version)
