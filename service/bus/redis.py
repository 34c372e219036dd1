"""Wake-ups between processes, by Redis publish and subscribe."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event, Thread

import redis
import structlog

from service.bus import Handler
from service.bus.local import LocalBus
from service.events import Topic, Wakeup

_CHANNEL = "engram:wakeups"
_WAIT_SECONDS = 0.5

log = structlog.get_logger()


class RedisBus:
    """Publishes to Redis and hears from it in a thread of its own; without Redis it stays silent and tries again."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
        self._heard = LocalBus()
        self._stopped = Event()
        self._listening = Event()
        self._thread = Thread(target=self._listen, name="engram-bus", daemon=True)
        self._thread.start()
        self._listening.wait(2)

    def publish(self, wakeup: Wakeup) -> None:
        """Send a wake-up; a Redis that is away loses it."""
        try:
            self._client.publish(_CHANNEL, json.dumps([wakeup.topic, wakeup.stream_id]))
        except redis.RedisError as error:
            log.warning("bus.publish_failed", error=str(error))

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Add a handler."""
        return self._heard.subscribe(handler)

    def close(self) -> None:
        """Stop listening and hang up."""
        self._stopped.set()
        self._thread.join(timeout=10)
        self._heard.close()
        self._client.close()

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
