"""Wake-ups between processes: news by Redis's publish and subscribe, work by Streams with a consumer group."""

from __future__ import annotations

import json
from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Event, Thread

import redis
import structlog

from service.bus import Handler
from service.bus.local import LocalBus
from service.bus.redis_work import RedisTaker, add_work
from service.events import WORK, Topic, Wakeup

_CHANNEL = "engram:wakeups"
_WAIT_SECONDS = 0.5
_OUTBOX = 10_000

log = structlog.get_logger()


class RedisBus:
    """Sends and hears in threads of its own, so that nobody waits for Redis; without it, it is silent and tries on."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, protocol=2, socket_timeout=5, socket_connect_timeout=2)
        self._heard = LocalBus()
        self._outbox: Queue[Wakeup | None] = Queue(_OUTBOX)
        self._stopped = Event()
        self._listening = Event()
        self._away = False
        self._takers: list[RedisTaker] = []
        self._threads = [
            Thread(target=target, name="engram-bus", daemon=True) for target in (self._send_all, self._listen)
        ]
        for thread in self._threads:
            thread.start()
        self._listening.wait(2)

    def publish(self, wakeup: Wakeup) -> None:
        """Send a wake-up soon; a Redis that is away loses it."""
        if self._stopped.is_set():
            return
        try:
            self._outbox.put_nowait(wakeup)
        except Full:
            log.warning("bus.outbox_full", lost=str(wakeup.topic))

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Add a handler."""
        return self._heard.subscribe(handler)

    def take(self, handler: Handler) -> RedisTaker:
        """Add a taker."""
        taker = RedisTaker(self._client, handler)
        self._takers.append(taker)
        return taker

    def close(self) -> None:
        """Send what waits, stop listening and hang up."""
        if not self._stopped.is_set():
            self._outbox.put(None)
            self._threads[0].join(timeout=5)
        self._stopped.set()
        for taker in self._takers:
            taker.end()
        for thread in self._threads:
            thread.join(timeout=10)
        self._heard.close()
        self._client.close()

    def _send_all(self) -> None:
        while not self._stopped.is_set():
            wakeup = self._outbox.get()
            if wakeup is None:
                return
            try:
                self._send(wakeup)
            except redis.RedisError as error:
                if not self._away:
                    log.warning("bus.publish_failed", error=str(error))
                self._away = True
                self._forget_outbox()
            else:
                self._away = False

    def _send(self, wakeup: Wakeup) -> None:
        if wakeup.topic in WORK:
            add_work(self._client, wakeup)
        else:
            self._client.publish(_CHANNEL, json.dumps([wakeup.topic, wakeup.stream_id]))

    def _forget_outbox(self) -> None:
        """Drop what waits: by the time Redis is back, everybody will have looked."""
        try:
            while (found := self._outbox.get_nowait()) is not None:
                del found
        except Empty:
            return
        self._outbox.put(None)

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._client.pubsub() as channel:  # type: ignore[no-untyped-call]
                    channel.subscribe(_CHANNEL)
                    while not self._stopped.is_set():
                        self._hear(channel.get_message(timeout=_WAIT_SECONDS))
            except redis.RedisError as error:
                log.warning("bus.listen_failed", error=str(error))
                self._stopped.wait(_WAIT_SECONDS)

    def _hear(self, message: dict[str, object] | None) -> None:
        if message is None:
            return
        if message["type"] == "subscribe":
            self._listening.set()
        elif message["type"] == "message":
            try:
                topic, stream_id = json.loads(message["data"])  # type: ignore[arg-type]
                wakeup = Wakeup(Topic(topic), int(stream_id))
            except (TypeError, ValueError) as error:  # another version's, or a stranger's; polling makes up for it
                log.warning("bus.not_understood", error=str(error))
                return
            self._heard.publish(wakeup)
