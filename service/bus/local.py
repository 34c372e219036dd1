"""Wake-ups inside one process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import structlog

from service.bus import Handler
from service.events import Wakeup

log = structlog.get_logger()


class LocalBus:
    """Calls every handler in the publisher's thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._handlers: tuple[Handler, ...] = ()

    def publish(self, wakeup: Wakeup) -> None:
        """Call every handler."""
        for handler in self._handlers:
            try:
                handler(wakeup)
            except RuntimeError as error:  # its event loop has ended before it could unsubscribe
                log.warning("bus.subscriber_gone", error=str(error))

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Add a handler."""
        with self._lock:
            self._handlers = (*self._handlers, handler)
        return lambda: self._remove(handler)

    def close(self) -> None:
        """Forget all handlers."""
        with self._lock:
            self._handlers = ()

    def _remove(self, handler: Handler) -> None:
        with self._lock:
            self._handlers = tuple(other for other in self._handlers if other is not handler)
