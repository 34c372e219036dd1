"""Which streams this worker writes: an even share of all, held by heartbeat, fenced against earlier holders."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from service.clock import SECOND
from service.core.identity import new_id
from service.core.parts import Parts
from service.storage import leases
from service.storage import streams as stream_rows
from service.storage.leases import StreamLease

_FOR_EVER = 2**62
_FORGET_SECONDS = 3600


class Holdings:
    """One worker's leases."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._started_at = parts.clock.now()
        self.worker = new_id("w", parts.clock)

    def begin(self) -> None:
        """Make this worker known. An embedded database has no other: what it left behind is free."""
        if self._parts.db.embedded:
            self._parts.db.write_now(lambda c: leases.forget_dead(c, _FOR_EVER + 1))
        self.beat()

    def beat(self) -> None:
        """Hold all leases for another while."""
        now, lasts = self._parts.clock.now(), self._parts.settings.worker_lease_seconds * SECOND
        until = _FOR_EVER if self._parts.db.embedded else now + lasts

        def work(connection: Connection) -> None:
            leases.beat(connection, self.worker, started_at=self._started_at, until=until)
            leases.forget_dead(connection, now - _FORGET_SECONDS * SECOND)

        self._parts.db.write_now(work)

    def balance(self) -> tuple[Sequence[StreamLease], Sequence[StreamLease]]:
        """Take what is free and due to this worker; return its leases, and those it should give back."""
        now = self._parts.clock.now()

        def look(connection: Connection) -> tuple[Sequence[StreamLease], int, int]:
            streams = stream_rows.count(connection)
            share = quota(self.worker, leases.alive(connection, now), streams)
            return leases.held(connection, self.worker), leases.free(connection, now), share

        held, free, share = self._parts.db.read_now(look)
        room = min(free, share - len(held))
        if room > 0:
            held = [*held, *self._parts.db.write_now(lambda c: leases.take(c, self.worker, now, room))]
        return held[:share], held[share:]

    def give_back(self, lease: StreamLease) -> None:
        """Leave a stream to another worker."""
        self._parts.db.write_now(lambda c: leases.give_back(c, lease))

    def end(self) -> None:
        """Leave every stream, so that others need not wait for the heartbeat to stop."""
        self._parts.db.write_now(lambda c: leases.leave(c, self.worker))


def quota(worker: str, alive: Sequence[str], streams: int) -> int:
    """Return how many streams are due to a worker: an even share, the remainder to those at the front.

    As those who hold most stand there, no stream moves without need.

    Example:
        >>> [quota(worker, ["a", "b", "c"], 4) for worker in ("a", "b", "c", "unknown")]
        [2, 1, 1, 0]
    """
    if worker not in alive:
        return 0
    share, rest = divmod(streams, len(alive))
    return share + (alive.index(worker) < rest)
