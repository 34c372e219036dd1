"""A queue that is never stale: its queries are ranked by the newest model, and end once nobody needs them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import perf_counter

from sqlalchemy import Connection

from service.clock import SECOND
from service.core import unanswered
from service.core.inputs import many_from_bytes
from service.core.labels import choosing, consensus
from service.core.labels.labeling import NEWS
from service.core.parts import Parts
from service.core.specs import QuerySpec, as_input
from service.core.spending import least_wanted, utility_now
from service.storage import queries, queue
from service.storage import streams as stream_rows
from service.storage.queue import Place
from service.storage.streams import Ledger, Stream
from service.storage.tables import AnyRow

QUIET_SECONDS = 0.1
"""Where nothing was learned for so long, ranking begins at the top, in larger batches, and hardly rests."""

_BATCH, _BATCH_WHEN_QUIET = 128, 256
"""Queries ranked, or ended for their age, between two looks at what else there is to do."""

_SLICE, _SLICE_WHEN_QUIET = 64, 256
"""Queries scored at once: between them, too, whoever waits for a question or for an answer to be taken goes first."""

_BREATH_SECONDS = 0.03
"""So long after an update ranking waits: whoever has just answered asks for the next query."""

_RESTS = 0.5
_RESTS_WHEN_QUIET = 0.1
"""So many times as long as it worked the ranking rests: whoever waits for an answer goes first."""


class _Walk:
    """A way down a queue from the top, in the order of utility: where it has come, and by which version it began."""

    def __init__(self) -> None:
        self.version = 0
        self.after: Place | None = None

    def next(self, connection: Connection, stream_id: int, version: int, most: int) -> Sequence[AnyRow]:
        """Return the next that were not ranked since the way began; fewer than `most` where it ends.

        What has sunk on this way comes by again further down: it is not looked at twice.
        """
        if self.after is None:
            self.version = version
        return queue.downwards(connection, stream_id, self.version, most, self.after)

    def pass_by(self, found: Sequence[AnyRow], most: int) -> bool:
        """Go on behind what `next` found, once it is ranked; return whether that was the end."""
        self.after = Place(found[-1].utility, found[-1].id) if len(found) == most else None
        return self.after is None


class Tending:
    """Looks after one stream's queue; only the stream's worker may use it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._version = 0
        self._since = 0
        self._sweep = _Walk()
        self._top: _Walk | None = None
        self._left = 0
        self._noted = 0
        self._ranked_at = 0.0
        self._looked_at = 0

    def step(self, stream: Stream) -> float | None:
        """End what is too old, and rank one batch; return the seconds to rest before the next, None after the last.

        The queue is walked from the top to its end over and over, each batch by the newest version: an update in the
        middle changes nothing of the way, so that the depths are never much older than one way takes. Where no other
        update follows for a moment a way of its own begins at the top. After one update at most `ranked_per_update`
        are looked at, and none once all are ranked by it.
        """
        begin = perf_counter()
        expired = self._expire(stream)
        version, now = self._parts.models.state(stream).seq, self._parts.clock.now()
        if version > self._version:
            self._version, self._since, self._top = version, now, None
            self._left = self._parts.settings.ranked_per_update
            choosing.prepare(self._parts, stream)
            if begin - self._ranked_at < QUIET_SECONDS:
                return _BREATH_SECONDS
        quiet = now - self._since >= QUIET_SECONDS * SECOND
        if quiet and self._top is None:
            self._top = _Walk()
        if self._left:
            self._rank(stream, *((_BATCH_WHEN_QUIET, _SLICE_WHEN_QUIET) if quiet else (_BATCH, _SLICE)))
            self._ranked_at = perf_counter()
        if expired:
            return 0.0
        if self._left:
            return (perf_counter() - begin) * (_RESTS_WHEN_QUIET if quiet else _RESTS)
        return None

    def _rank(self, stream: Stream, most: int, at_once: int) -> None:
        """Score a batch by the current version, store its utilities, and withdraw what is no longer worth asking."""
        scorer, spec = self._parts.models.scorer(stream), as_input(stream.input)
        walk, most = self._top or self._sweep, min(most, self._left)

        def look(connection: Connection) -> tuple[Sequence[AnyRow], Ledger]:
            return walk.next(connection, stream.id, scorer.seq, most), stream_rows.ledger(connection, stream.id)

        found, ledger = self._parts.db.read_now(look)
        least, utility = least_wanted(stream, ledger), utility_now(stream, ledger)
        # Whoever knows no class yet ranks nothing, and where the payload is gone the query is about to be withdrawn.
        rows = [row for row in found if row.features] if scorer.classes else []
        utilities: dict[str, float] = {}
        for start in range(0, len(rows), at_once):
            self._parts.precedence.give_way()
            some = rows[start : start + at_once]
            said = scorer.predict_many(many_from_bytes([row.features for row in some], spec))
            utilities |= {row.id: utility(one) for row, one in zip(some, said, strict=True) if one is not None}
        sinking = [row.id for row in rows if row.reason == "uncertain" and utilities.get(row.id, least) < least]
        if sinking:
            self._withdraw(stream, sinking)
        # At last: what has the newest version's utility is not looked at again.
        for part in queue.in_parts(utilities):
            self._parts.db.write_now(partial(queue.rank, utilities=part, version=scorer.seq), synced=False)
        self._left -= most
        if walk.pass_by(found, most):
            self._end(stream, walk.version, scorer.seq)

    def _end(self, stream: Stream, since: int, version: int) -> None:
        """Note that a way down has ended; where all of it was by this version there is nothing left to do."""
        if since > self._noted:
            self._parts.db.write_now(lambda c: stream_rows.ranked(c, stream.id, since), synced=False)
            self._noted = since
        if since == version:
            self._left, self._sweep = 0, _Walk()

    def _withdraw(self, stream: Stream, query_ids: Sequence[str]) -> None:
        """End those of the queries that nobody holds and nobody has to decide."""

        def work(connection: Connection) -> bool:
            locked = stream_rows.lock(connection, stream.id)
            if locked is None:
                return False
            now = self._parts.clock.now()
            free = queue.free_of(connection, query_ids, now)
            # People who disagree know better than the model what is in doubt.
            sure = [row for row in free if not consensus.are_even(connection, locked, row.sample_n)]
            unanswered.end(connection, self._parts, locked, sure, queries.WITHDRAWN, now, "sure")
            consensus.settle_ended(connection, self._parts, locked, sure)
            return bool(sure)

        if self._parts.db.write_now(work):
            self._parts.tell(stream.id, *NEWS)

    def _expire(self, stream: Stream) -> bool:
        """End a batch of queries that are too old; return whether there are more."""
        seconds, now = QuerySpec(**stream.query).expire_after_seconds, self._parts.clock.now()
        if seconds == 0 or now - self._looked_at < self._parts.settings.poll_seconds * SECOND:
            return False
        before = now - int(seconds * SECOND)
        if not self._parts.db.read_now(lambda c: queue.opened_before(c, stream.id, before, now, 1)):
            self._looked_at = now
            return False

        def work(connection: Connection) -> None:
            locked = stream_rows.lock(connection, stream.id)
            if locked is not None:
                old = queue.opened_before(connection, stream.id, before, now, _BATCH_WHEN_QUIET)
                unanswered.end(connection, self._parts, locked, old, queries.EXPIRED, now, "age")
                consensus.settle_ended(connection, self._parts, locked, old)

        self._parts.db.write_now(work)
        self._parts.tell(stream.id, *NEWS)
        return True
