"""Wake-ups inside one process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Lock

import structlog

from service.bus import Handler
from service.events import WORK, Wakeup

log = structlog.get_logger()


class LocalBus:
    """Calls handlers in the publisher's thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._handlers: tuple[Handler, ...] = ()
        self._takers: tuple[LocalTaker, ...] = ()
        self._waiting: dict[int, Wakeup] = {}
        self._closed = False

    def publish(self, wakeup: Wakeup) -> None:
        """Call every handler, or one taker's; work that nobody takes yet waits, the latest of each stream."""
        if wakeup.topic not in WORK:
            for handler in self._handlers:
                _call(handler, wakeup)
            return
        with self._lock:
            taker = next((taker for taker in self._takers if wakeup.stream_id in taker.chosen), None)
            if taker is None and not self._closed:
                self._waiting[wakeup.stream_id] = wakeup
        if taker is not None:
            _call(taker.handler, wakeup)

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Add a handler."""
        with self._lock:
            self._handlers = (*self._handlers, handler)
        return lambda: self._remove(handler)

    def take(self, handler: Handler) -> LocalTaker:
        """Add a taker."""
        taker = LocalTaker(self, handler)
        with self._lock:
            self._takers = (*self._takers, taker)
        return taker

    def close(self) -> None:
        """Forget all handlers."""
        with self._lock:
            self._closed = True
            self._handlers, self._takers = (), ()
            self._waiting.clear()

    def found_by(self, taker: LocalTaker, stream_ids: frozenset[int]) -> list[Wakeup]:
        """Note what a taker chose, and return what waits for it."""
        with self._lock:
            taker.chosen = stream_ids
            return [self._waiting.pop(stream_id) for stream_id in stream_ids & self._waiting.keys()]

    def drop(self, taker: LocalTaker) -> None:
        """Remove a taker."""
        with self._lock:
            self._takers = tuple(other for other in self._takers if other is not taker)

    def _remove(self, handler: Handler) -> None:
        with self._lock:
            self._handlers = tuple(other for other in self._handlers if other is not handler)


class LocalTaker:
    """Takes the work of the streams in `chosen`."""

    def __init__(self, bus: LocalBus, handler: Handler) -> None:
        self._bus = bus
        self.handler = handler
        self.chosen: frozenset[int] = frozenset()

    def choose(self, stream_ids: Collection[int]) -> None:
        """Take the work of just these streams."""
        for wakeup in self._bus.found_by(self, frozenset(stream_ids)):
            _call(self.handler, wakeup)

    def end(self) -> None:
        """Take no more."""
        self._bus.drop(self)


def _call(handler: Handler, wakeup: Wakeup) -> None:
    try:
        handler(wakeup)
    except RuntimeError as error:  # its event loop has ended before it could unsubscribe
        log.warning("bus.subscriber_gone", error=str(error))
