"""A queue that is never stale: its queries are ranked by the newest model, and end once nobody needs them."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from sqlalchemy import Connection

from service.clock import SECOND
from service.core import unanswered
from service.core.inputs import from_bytes
from service.core.labels import consensus
from service.core.labels.labeling import NEWS
from service.core.parts import Parts
from service.core.specs import QuerySpec, as_input
from service.core.spending import least_wanted, utility_now
from service.storage import queries, queue
from service.storage import streams as stream_rows
from service.storage.queue import Place
from service.storage.streams import Ledger, Stream
from service.storage.tables import AnyRow

QUIET_SECONDS = 0.2
_QUIET_SHARES = 20
"""Where nothing was learned for so long, so many times the work for one update is done in all."""

_BATCH, _BATCH_WHEN_QUIET = 64, 256
"""Queries ranked, or ended for their age, between two looks at what else there is to do."""

_STALEST_ONE_IN = 4
"""Of so many batches one is of the longest unranked, while the best are not through: some of these will have risen."""

_BREATH_SECONDS = 0.03
"""So long after an update ranking waits: whoever has just answered asks for the next query."""

_RESTS = 1.0
_RESTS_WHEN_QUIET = 0.1
"""So many times as long as it worked the ranking rests: whoever waits for an answer goes first."""


class Tending:
    """Looks after one stream's queue; only the stream's worker may use it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._version = 0
        self._since = 0
        self._walked_from = 0
        self._after: Place | None = None
        self._best_left = 0
        self._stalest_left = 0
        self._quiet_left = 0
        self._batches = 0
        self._ranked_at = 0.0
        self._looked_at = 0

    def step(self, stream: Stream) -> float | None:
        """End what is too old, and rank one batch; return the seconds to rest before the next, None after the last.

        After an update the best are ranked anew, from the top down, and those that were ranked longest ago, up to the
        setting `ranked_per_update` of each; where no other update follows for a moment it goes on to `_QUIET_SHARES`
        times that. An update in the middle lets the way down go on to its end before the next begins at the top. The
        rest keep their place until their turn comes.
        """
        begin = perf_counter()
        expired = self._expire(stream)
        version, now = self._parts.models.state(stream).seq, self._parts.clock.now()
        if version > self._version:
            self._version, self._since = version, now
            self._stalest_left = self._parts.settings.ranked_per_update
            self._quiet_left = (_QUIET_SHARES - 1) * self._stalest_left
            if begin - self._ranked_at < QUIET_SECONDS:
                return _BREATH_SECONDS
        if self._best_left == 0 and version > self._walked_from:
            self._walked_from, self._after = version, None
            self._best_left = self._parts.settings.ranked_per_update
        quiet = now - self._since >= QUIET_SECONDS * SECOND
        if self._best_left == self._stalest_left == 0 and quiet:
            self._stalest_left, self._quiet_left = self._quiet_left, 0
        if self._best_left or self._stalest_left:
            self._rank(stream, _BATCH_WHEN_QUIET if quiet else _BATCH)
            self._ranked_at = perf_counter()
        if expired:
            return 0.0
        if self._best_left or self._stalest_left:
            return (perf_counter() - begin) * (_RESTS_WHEN_QUIET if quiet else _RESTS)
        if self._quiet_left == 0:
            return None
        return 0.0 if quiet else QUIET_SECONDS

    def _next(self, connection: Connection, stream: Stream, version: int, most: int) -> Sequence[AnyRow]:
        """Return what is to be ranked next."""
        self._batches += 1
        stalest = self._best_left == 0 or (self._batches % _STALEST_ONE_IN == 0 and self._stalest_left > 0)
        if stalest:
            rows = queue.stalest(connection, stream.id, version, min(most, self._stalest_left))
            self._stalest_left = self._stalest_left - len(rows) if rows else 0
            self._quiet_left = self._quiet_left if rows else 0
            return rows
        page = queue.downwards(connection, stream.id, min(most, self._best_left), self._after)
        self._best_left -= len(page)
        if page:
            self._after = Place(page[-1].utility, page[-1].id)
        else:
            self._best_left = 0
        return [row for row in page if row.ranked_at < version]

    def _rank(self, stream: Stream, most: int) -> None:
        """Score a batch by the current version, store its utilities, and withdraw what is no longer worth asking."""
        scorer, spec = self._parts.models.scorer(stream), as_input(stream.input)

        def look(connection: Connection) -> tuple[Sequence[AnyRow], Ledger]:
            return self._next(connection, stream, scorer.seq, most), stream_rows.ledger(connection, stream.id)

        rows, ledger = self._parts.db.read_now(look)
        least, utility = least_wanted(stream, ledger), utility_now(stream, ledger)
        # Whoever knows no class yet ranks nothing, and where the payload is gone the query is about to be withdrawn.
        rows = [row for row in rows if row.features] if scorer.classes else []
        said = scorer.predict_many([from_bytes(row.features, spec) for row in rows])
        utilities = {row.id: utility(one) for row, one in zip(rows, said, strict=True) if one is not None}
        sinking = [row.id for row in rows if row.reason == "uncertain" and utilities.get(row.id, least) < least]
        if sinking:
            self._withdraw(stream, sinking)
        if utilities:  # at last: what has the newest version's utility is not looked at again
            self._parts.db.write_now(lambda c: queue.rank(c, utilities, scorer.seq))

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
