"""Names for new things: sortable by time, not guessable."""

from __future__ import annotations

import secrets

from service.clock import Clock


def new_id(prefix: str, clock: Clock) -> str:
    """Return an id such as q_0192f0c4a6b8f3a1c2d4e5f60718: the prefix, 12 digits of time, 16 random ones."""
    return f"{prefix}_{clock.now() // 1000:012x}{secrets.token_hex(8)}"
