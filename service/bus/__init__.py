"""Wake-ups between the parts, inside one process or between several. A lost one costs latency, never data."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from service.events import Wakeup

Handler = Callable[[Wakeup], None]


class Taker(Protocol):
    """Gets the work of some streams; what one taker got no other gets."""

    def choose(self, stream_ids: Collection[int]) -> None:
        """Take the work of just these streams from now on, and what already waits for them."""

    def end(self) -> None:
        """Take no more."""


class Bus(Protocol):
    """Carries news to every subscriber and work to one taker; both adapters pass one contract suite."""

    def publish(self, wakeup: Wakeup) -> None:
        """Pass a wake-up on, as its topic wants; never raises or waits for whoever is to hear it."""

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Call `handler` for all news from now on, from any thread; return what ends it."""

    def take(self, handler: Handler) -> Taker:
        """Call `handler`, from any thread, for work of the streams that the taker chooses."""

    def close(self) -> None:
        """Stop; further wake-ups go nowhere."""
