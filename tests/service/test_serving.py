"""The end of a server that is told to end more than once."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock

from service.app import build_parts, close_parts, create_app
from service.serving import server_of
from service.settings import Settings


class Interrupted(Event):
    """An event that is being set when the next signal arrives: its lock is held then, and cannot be had twice."""

    def __init__(self) -> None:
        super().__init__()
        self.held = Lock()
        self.meanwhile = lambda: None

    def set(self) -> None:
        assert self.held.acquire(timeout=1), "waits for itself"
        with_the_next, self.meanwhile = self.meanwhile, lambda: None
        with_the_next()
        super().set()
        self.held.release()


def test_a_second_signal_in_the_middle_of_the_first_ones_does_not_halt_the_end(tmp_path: Path) -> None:
    stopping = Interrupted()
    parts = replace(build_parts(Settings(data_dir=tmp_path)), stopping=stopping)
    try:
        server = server_of(create_app(parts), parts)
        stopping.meanwhile = lambda: server._end(signal.SIGINT, None)
        server._end(signal.SIGTERM, None)
        assert server.should_exit
        assert stopping.is_set()
    finally:
        close_parts(parts)
