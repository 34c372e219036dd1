"""The socket of a server, and the end of one that is told to end more than once."""

from __future__ import annotations

import asyncio
import signal
import socket
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock

from service.app import build_parts, close_parts, create_app
from service.serving import listen, server_of
from service.settings import Settings


def test_what_is_sent_waits_for_nothing_on_the_loop_that_every_system_has() -> None:
    async def is_sent_at_once() -> bool:
        seen = asyncio.get_running_loop().create_future()

        async def met(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ours: socket.socket = writer.get_extra_info("socket")
            seen.set_result(ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
            writer.close()

        bound = listen("127.0.0.1", 0)
        async with await asyncio.start_server(met, sock=bound):
            _reader, writer = await asyncio.open_connection(*bound.getsockname())
            found: bool = await seen
            writer.close()
            return found

    assert asyncio.run(is_sent_at_once())


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
