"""Work that must find one worker: one Redis Stream for each of Engram's streams, read by the group of the workers."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from threading import Event, Thread
from typing import Any

import redis
import structlog

from service.bus import Handler
from service.events import Topic, Wakeup

_PREFIX = "engram:work:"
_GROUP = "workers"
_KEPT_SECONDS = 3600
_KEPT = 16
"""Newest wake-ups kept of each stream: all of them say the same, that there is something to do."""
_BLOCK_MILLISECONDS = 500

log = structlog.get_logger()


def add_work(client: redis.Redis, wakeup: Wakeup) -> None:
    """Leave a wake-up for whichever worker reads that stream, now or within the hour."""
    key = f"{_PREFIX}{wakeup.stream_id}"
    with client.pipeline(transaction=False) as both:
        both.xadd(key, {"topic": str(wakeup.topic)}, maxlen=_KEPT, approximate=False)
        both.expire(key, _KEPT_SECONDS)
        both.execute()


class RedisTaker:
    """Reads, in a thread of its own, the work of the streams chosen.

    It is not acknowledged: a worker that dies with it loses the stream, and whoever takes that stream looks at its log.
    """

    def __init__(self, client: redis.Redis, handler: Handler) -> None:
        self._client = client
        self._handler = handler
        self._name = secrets.token_hex(8)
        self._chosen: frozenset[int] = frozenset()
        self._joined: set[int] = set()
        self._changed = Event()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="engram-bus-work", daemon=True)
        self._thread.start()

    def choose(self, stream_ids: Collection[int]) -> None:
        """Take the work of just these streams."""
        self._chosen = frozenset(stream_ids)
        self._changed.set()

    def end(self) -> None:
        """Take no more."""
        self._stopped.set()
        self._changed.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        away = False
        while not self._stopped.is_set():
            chosen = self._chosen
            if not chosen:
                self._changed.wait()
                self._changed.clear()
                continue
            try:
                self._join(chosen)
                self._read(chosen)
                away = False
            except redis.ResponseError as error:  # a Redis that began anew, or forgot an idle stream, has no group
                self._joined.clear()
                if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                    log.warning("bus.work_failed", error=str(error))
                    self._stopped.wait(_BLOCK_MILLISECONDS / 1000)
            except redis.RedisError as error:
                if not away:
                    log.warning("bus.work_failed", error=str(error))
                away = True
                self._stopped.wait(_BLOCK_MILLISECONDS / 1000)

    def _join(self, chosen: frozenset[int]) -> None:
        for stream_id in chosen - self._joined:
            key = f"{_PREFIX}{stream_id}"
            try:
                self._client.xgroup_create(key, _GROUP, id="0", mkstream=True)
                self._client.expire(key, _KEPT_SECONDS)
            except redis.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise
        self._joined = set(chosen)

    def _read(self, chosen: frozenset[int]) -> None:
        keys: dict[Any, Any] = {f"{_PREFIX}{stream_id}": ">" for stream_id in sorted(chosen)}
        found: Any = self._client.xreadgroup(
            _GROUP, self._name, keys, count=_KEPT, block=_BLOCK_MILLISECONDS, noack=True
        )
        for key, entries in found:
            stream_id = int(key.decode().removeprefix(_PREFIX))
            for _ in entries:
                self._handler(Wakeup(Topic.LOG_GREW, stream_id))
