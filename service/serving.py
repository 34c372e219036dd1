"""Running the application: one process per data folder, and an end that loses nothing."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection

from service.app import build_parts, close_parts, create_app
from service.clock import SystemClock
from service.core import access
from service.core.access import Role
from service.core.errors import ServingError
from service.core.parts import Parts
from service.settings import Settings
from service.storage import tokens

TOKEN_FILE = "admin.token"  # noqa: S105 - a file name
_LOCK_FILE = "engram.lock"
_ADDRESS_FILE = "server.json"
_PATIENCE_SECONDS = 20

_COLLECTIONS = (700, 10, 10)
"""When a server looks for what can be thrown away: often, so that it has little to look through (Python's default)."""

_SWITCH_SECONDS = 0.0005
"""How long a thread that computes keeps the interpreter while a request waits for it, which it does several times."""


class Server(uvicorn.Server):
    """Ends on SIGTERM or SIGINT with everything finished, and lets the process exit with 0."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._parts = parts
        self._hears_signals = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Turn signals into an orderly end while the server runs."""
        if not self._hears_signals:
            yield
            return
        before = {number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run_process(self, bound: socket.socket) -> None:
        """Run in the main thread of a process that does nothing else, and make the process fit for it."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.freeze()  # what is there now stays: looking through it again would halt every request for a moment
        gc.set_threshold(*_COLLECTIONS)
        self.run(sockets=[bound])

    def run_here(self, bound: socket.socket) -> None:
        """Run in a thread that is not the main one, where no signal arrives."""
        self._hears_signals = False
        self.run(sockets=[bound])

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        """Begin the end; a second signal, which may come in the middle of the first one's, finds it begun.

        What `make run` serves gets two: make passes on what it is sent. Both would wait for the event's one lock.
        """
        if not self.should_exit:
            self.should_exit = True
            self._parts.stopping.set()


@contextmanager
def data_folder(folder: Path) -> Iterator[None]:
    """Hold a data folder: a second process that wants it is told who has it.

    Raises:
        ServingError: where another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK_FILE).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = address(folder)
            raise ServingError(
                f"another Engram is using {folder}{f' and serves {where}' if where else ''}; "
                "stop it, or choose another folder with --data-dir"
            ) from None
        try:
            yield
        finally:
            (folder / _ADDRESS_FILE).unlink(missing_ok=True)


def address(folder: Path) -> str | None:
    """Return where the service of this folder listens, if one does."""
    try:
        found = json.loads((folder / _ADDRESS_FILE).read_text())["url"]
    except (OSError, ValueError, KeyError):
        return None
    return str(found)


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket.

    Raises:
        ServingError: where the address is taken or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: only where it is does asyncio send each part of an answer at once, and what comes of the
    # socket inherits it. Without that an answer's body waits for 40 ms where there is no uvloop.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ServingError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
    return bound


def admin_token(parts: Parts, folder: Path) -> tuple[str | None, bool]:
    """Return the admin token in the folder's file, and whether it was made just now."""
    path = folder / TOKEN_FILE
    known = parts.db.read_now(tokens.every)
    if not known:

        def make(connection: Connection) -> str:
            _principal, text = access.create(connection, SystemClock(), Role.ADMIN, "admin")
            _write_secret(path, text)  # before the commit: a token that is stored has its file
            return text

        return parts.db.write_now(make), True
    return (path.read_text().strip() if path.exists() else None), False


def _write_secret(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)


def for_many_processes(settings: Settings, command: str) -> None:
    """Refuse settings on which several processes cannot work together.

    Raises:
        ServingError: where the database is not PostgreSQL, or there is no Redis.
    """
    if settings.database_url is None or not settings.database.startswith("postgresql"):
        raise ServingError(
            f"'engram {command}' works beside other processes and needs PostgreSQL: set ENGRAM_DATABASE_URL to "
            "postgresql://…, or use 'engram serve', which does everything in one process"
        )
    if settings.redis_url is None:
        raise ServingError(
            f"'engram {command}' works beside other processes and hears of their work by Redis: set ENGRAM_REDIS_URL "
            "to redis://…"
        )


@contextmanager
def opened_with_others(settings: Settings, command: str) -> Iterator[Parts]:
    """Open the database and the bus that several processes share; no data folder is held."""
    for_many_processes(settings, command)
    parts = build_parts(settings)
    try:
        yield parts
    finally:
        close_parts(parts)


@contextmanager
def opened(settings: Settings) -> Iterator[Parts]:
    """Hold the data folder and open what is in it."""
    with data_folder(settings.data_dir):
        parts = build_parts(settings)
        try:
            yield parts
        finally:
            close_parts(parts)


def make_server(parts: Parts, bound: socket.socket) -> Server:
    """Return a server of everything for the socket, and leave its address in the data folder."""
    (parts.settings.data_dir / _ADDRESS_FILE).write_text(json.dumps({"url": url_of(bound)}))
    return server_of(create_app(parts), parts)


def server_of(app: FastAPI, parts: Parts) -> Server:
    """Return a server of an application."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE_SECONDS,
        backlog=2048,
    )
    return Server(config, parts)


def url_of(bound: socket.socket) -> str:
    """Return the address that a browser on this machine takes."""
    host, port = bound.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
