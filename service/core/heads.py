"""The best of each queue, ranked for whoever comes next: by the worker, right after it has learned."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import NamedTuple

from service.events import Topic, Wakeup
from service.storage.queue import Offered, Place

WANTED_SECONDS = 1.0
"""A head is ranked after an update only where a query was leased so shortly before: else it would serve nobody."""

LASTS_SECONDS = 2.0
"""So long a head serves at most: it does not know of leases that have ended by themselves."""

OUTLIVES_SECONDS = 0.25
"""So old it may be where a newer version is there, whose own head is under way."""


class Head(NamedTuple):
    """The best of one queue.

    Attributes:
        version: of the model that ranked them.
        best: queries that nobody holds, the most valuable first, without features.
        after: the place in the queue, by the utilities stored then, down to which it was looked at; None: to its end.
    """

    version: int
    best: Sequence[Offered]
    after: Place | None


@dataclass(slots=True)
class _Queue:
    name: str
    asked_at: float = -math.inf
    grown: int = 0
    head: Head | None = None
    ranked_at: float = -math.inf


class Heads:
    """Holds the heads of queues, each until it is used up or old or its queue has grown. Any thread may use it."""

    def __init__(self) -> None:
        self._queues: dict[int, _Queue] = {}
        self._ids: dict[str, int] = {}
        self._lock = Lock()

    def asked(self, stream_id: int, name: str) -> None:
        """Note that somebody wants one query of the stream of that name."""
        with self._lock:
            self._queues.setdefault(stream_id, _Queue(name)).asked_at = monotonic()
            self._ids[name] = stream_id

    def wanted(self, stream_id: int) -> int | None:
        """Return how often the queue has grown, for `put`, where somebody wanted one a short time ago; else None."""
        queue = self._queues.get(stream_id)
        return None if queue is None or monotonic() - queue.asked_at > WANTED_SECONDS else queue.grown

    def put(self, stream_id: int, head: Head, grown: int) -> None:
        """Hold a head, unless the queue has grown more often since before it was looked at."""
        with self._lock:
            queue = self._queues.get(stream_id)
            if queue is not None and queue.grown == grown:
                queue.head, queue.ranked_at = head, monotonic()

    def stream(self, name: str) -> int | None:
        """Return the id of the stream of that name, where its queue may have a head."""
        return self._ids.get(name)

    def of(self, stream_id: int, version: int) -> Head | None:
        """Return the head for whoever would have the newest, of that version of the model."""
        queue = self._queues.get(stream_id)
        if queue is None or queue.head is None:
            return None
        lasts = LASTS_SECONDS if queue.head.version == version else OUTLIVES_SECONDS
        return queue.head if queue.head.best and monotonic() - queue.ranked_at < lasts else None

    def hear(self, wakeup: Wakeup) -> None:
        """Drop the head of a queue that has grown: what came may be better."""
        if wakeup.topic is not Topic.QUEUE_GREW:
            return
        with self._lock:
            queue = self._queues.get(wakeup.stream_id)
            if queue is not None:
                queue.grown, queue.head = queue.grown + 1, None

    def taken(self, stream_id: int, query_ids: Collection[str]) -> None:
        """Leave out what was leased."""
        with self._lock:
            queue = self._queues.get(stream_id)
            if queue is not None and queue.head is not None:
                best = [row for row in queue.head.best if row.id not in query_ids]
                queue.head = queue.head._replace(best=best)

    def forget(self, stream_id: int) -> None:
        """Drop a stream that is gone."""
        with self._lock:
            queue = self._queues.pop(stream_id, None)
            if queue is not None and self._ids.get(queue.name) == stream_id:
                del self._ids[queue.name]
