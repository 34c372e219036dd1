"""What every use case works with; put together in `service.app`, where tests hand in their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event

from service.bus import Bus
from service.clock import Clock
from service.core.depths import Depths
from service.core.heads import Heads
from service.core.line import Line, Lines
from service.core.looks import Looks
from service.core.metrics import Metrics
from service.core.models.past import PastModels
from service.core.models.recovery import Recovery
from service.core.models.scoring import LiveModels
from service.core.precedence import Precedence
from service.events import Topic, Wakeup
from service.settings import Settings
from service.storage.session import Database


@dataclass(frozen=True, slots=True)
class Parts:
    """The database, the bus, the clock, the settings, the models of now and of before, and the metrics."""

    db: Database
    bus: Bus
    clock: Clock
    settings: Settings
    models: LiveModels
    past: PastModels
    recovery: Recovery
    metrics: Metrics
    ready: Event
    """Set once every stream's model is restored."""
    stopping: Event
    """Set when the service is about to end: whoever waits comes back."""
    lines: Lines = field(default_factory=lambda: Lines(Line))
    """Who waits for the queries of each stream."""
    precedence: Precedence = field(default_factory=Precedence)
    """Who goes before work in the background."""
    looks: Looks = field(default_factory=Looks)
    """Who ranks the best for a lease."""
    depths: Depths = field(default_factory=Depths)
    """How far down the queues leases have looked."""
    heads: Heads = field(default_factory=Heads)
    """The best of the queues, ranked for whoever leases next."""

    def tell(self, stream_id: int, *topics: Topic) -> None:
        """Wake whoever waits for `topics`; call it after the commit."""
        for topic in topics:
            self.bus.publish(Wakeup(topic, stream_id))

    def forget(self, stream_id: int) -> None:
        """Drop what is held of a stream that is gone."""
        self.models.forget(stream_id)
        self.heads.forget(stream_id)
