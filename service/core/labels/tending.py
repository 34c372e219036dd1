"""A queue that is never stale: its queries are ranked by the newest model, and end once nobody needs them."""

from __future__ import annotations

from sqlalchemy import Connection

from service.clock import SECOND
from service.core import unanswered
from service.core.inputs import from_bytes
from service.core.labels import consensus
from service.core.labels.labeling import NEWS
from service.core.parts import Parts
from service.core.specs import QuerySpec, as_input
from service.core.spending import standing_of
from service.storage import queries, queue
from service.storage import streams as stream_rows
from service.storage.streams import Stream

_HIGHEST = 64
"""So many of the best are ranked until all are of the newest version: leases come from them."""

_QUIET = SECOND
_QUIET_SHARES = 20
"""Where nothing was learned for so long, so many times the work for one update is done in all."""

_BATCH = 64
"""Queries ranked, or ended for their age, between two looks at what else there is to do."""


class Tending:
    """Looks after one stream's queue; only the stream's worker may use it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._version = 0
        self._since = 0
        self._best_left = 0
        self._left = 0
        self._quiet_left = 0
        self._looked_at = 0

    def step(self, stream: Stream) -> bool:
        """End what is too old, and rank one batch; return whether there is more to do now.

        A new version ranks the best `_HIGHEST` until these are all its own (what falls lets older ones rise), then
        those ranked longest ago, each up to the setting `ranked_per_update`; where no other version follows for a
        moment it goes on to `_QUIET_SHARES` times that. The rest keep their place until their turn comes.
        """
        expired = self._expire(stream)
        version, now = self._parts.models.state(stream).seq, self._parts.clock.now()
        if version > self._version:
            self._version, self._since = version, now
            self._best_left = self._left = self._parts.settings.ranked_per_update
            self._quiet_left = (_QUIET_SHARES - 1) * self._left
        elif self._left == 0 and now - self._since >= _QUIET:
            self._left, self._quiet_left = self._quiet_left, 0
        if self._left > 0:
            self._rank(stream)
        return expired or self._left > 0

    def _rank(self, stream: Stream) -> None:
        """Score a batch by the current version, store its utilities, and withdraw what is no longer worth asking."""
        scorer, spec, policy = self._parts.models.scorer(stream), as_input(stream.input), QuerySpec(**stream.query)
        best = self._parts.db.read_now(
            lambda c: queue.highest(c, stream.id, scorer.seq, min(_HIGHEST, self._best_left))
        )
        self._best_left = self._best_left - len(best) if best else 0
        rows = best or self._parts.db.read_now(
            lambda c: queue.stalest(c, stream.id, scorer.seq, min(_BATCH, self._left))
        )
        if not best:
            self._left = self._left - len(rows) if rows else 0
            self._quiet_left = self._quiet_left if rows else 0
        # Whoever knows no class yet ranks nothing, and where the payload is gone the query is about to be withdrawn.
        rows = [row for row in rows if row.features] if scorer.classes else []
        said = scorer.predict_many([from_bytes(row.features, spec) for row in rows])
        utility = policy.policy().utility
        utilities = {row.id: utility(one) for row, one in zip(rows, said, strict=True) if one is not None}
        if not utilities:
            return
        doubted = [row.id for row in rows if row.reason == "uncertain"] if policy.withdraw_below > 0.0 else []

        def work(connection: Connection) -> bool:
            locked = stream_rows.lock(connection, stream.id)
            if locked is None:
                return False
            now = self._parts.clock.now()
            values = ({"query_id": key, "new_utility": value} for key, value in utilities.items())
            queue.rank(connection, [{**value, "version": scorer.seq} for value in values])
            least = policy.withdraw_below * standing_of(stream_rows.ledger(connection, stream.id)).threshold
            sure = queue.free_of(connection, [key for key in doubted if utilities[key] < least], now)
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
                old = queue.opened_before(connection, stream.id, before, now, _BATCH)
                unanswered.end(connection, self._parts, locked, old, queries.EXPIRED, now, "age")
                consensus.settle_ended(connection, self._parts, locked, old)

        self._parts.db.write_now(work)
        self._parts.tell(stream.id, *NEWS)
        return True
