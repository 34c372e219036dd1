"""What is said on the bus: hints that wake a consumer. The tables hold the truth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Topic(StrEnum):
    """What a wake-up is about."""

    LOG_GREW = "log_grew"
    """A stream's log has entries that the worker has not applied."""
    MODEL_ADVANCED = "model_advanced"
    """The worker published a new model version."""
    QUEUE_GREW = "queue_grew"
    """A query was opened or came back."""
    EVENTS_ADDED = "events_added"
    """The events table has news for subscribers."""
    STREAMS_CHANGED = "streams_changed"
    """A stream was made or removed."""


WORK = frozenset({Topic.LOG_GREW})
"""Topics that must find the one worker of their stream; all others are news for everybody."""


@dataclass(frozen=True, slots=True)
class Wakeup:
    """Something changed in one stream."""

    topic: Topic
    stream_id: int
