"""Payloads that are over their time go; what people answered of their samples is settled before."""

from __future__ import annotations

from sqlalchemy import Connection

from service.clock import SECOND
from service.core import unanswered
from service.core.labels import consensus
from service.core.labels.labeling import NEWS
from service.core.parts import Parts
from service.core.specs import RetentionSpec
from service.events import Topic
from service.storage import events, queries, queue, samples
from service.storage import streams as stream_rows
from service.storage.streams import Stream

_DAY = 86_400 * SECOND
_LOOK_EVERY = 60 * SECOND
_PAGE = 500


class Purging:
    """Forgets the payloads of one stream; only the stream's worker may use it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._days: float | None = None
        self._looked_at = 0

    def keep(self, stream: Stream) -> None:
        """Look whether something is over its time, at most once a minute while the rule stays the same."""
        now, days = self._parts.clock.now(), RetentionSpec(**(stream.retention or {})).payload_days
        if days is None or (days == self._days and now - self._looked_at < _LOOK_EVERY):
            return
        total = 0
        while purged := self._purge(stream.id, now - int(days * _DAY), now):
            total += purged
        self._days, self._looked_at = days, now
        if total:
            event = {"stream_id": stream.id, "type": "purge", "data": {"samples": total}, "at": now}
            self._parts.db.write_now(lambda c: events.add(c, [event]))
            self._parts.tell(stream.id, Topic.EVENTS_ADDED)

    def _purge(self, stream_id: int, before: int, now: int) -> int:
        """Forget a page of payloads; return of how many samples.

        A question that nobody can see any more is withdrawn. Where it was one of several of its sample, those who
        answered decide; nobody is asked to break a tie.
        """

        def work(connection: Connection) -> tuple[int, bool]:
            stream = stream_rows.lock(connection, stream_id)
            if stream is None:
                return 0, False
            numbers = samples.kept_before(connection, stream.id, before, _PAGE)
            gone = queue.of_samples(connection, numbers)
            unanswered.end(connection, self._parts, stream, gone, queries.WITHDRAWN, now, "purged")
            consensus.settle_ended(connection, self._parts, stream, gone, further=False)
            samples.purge(connection, numbers, now)
            queries.forget_codes(connection, numbers)
            return len(numbers), bool(gone)

        purged, asked = self._parts.db.write_now(work)
        if asked:
            self._parts.tell(stream_id, *NEWS)
        return purged
