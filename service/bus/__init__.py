"""Wake-ups between the parts, inside one process or between several. A lost one costs latency, never data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from service.events import Wakeup

Handler = Callable[[Wakeup], None]


class Bus(Protocol):
    """Carries wake-ups to every subscriber; both adapters pass one contract suite."""

    def publish(self, wakeup: Wakeup) -> None:
        """Tell every subscriber; never raises for a subscriber or a connection that is gone."""

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Call `handler` for every wake-up from now on, from any thread; return what ends it."""

    def close(self) -> None:
        """Stop; further wake-ups go nowhere."""
