"""PostgreSQL and Redis of a test's own, which it may stop and start again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psycopg
import redis

from benchmarks.chaos_processes import free_port
from tests.conftest import skip_or_fail


class PrivateRedis:
    """A Redis that stores nothing."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        self._popen = subprocess.Popen(words, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
        with redis.Redis.from_url(self.url) as client:
            _wait_for(client.ping, redis.RedisError)

    def stop(self) -> None:
        if self._popen is not None:
            self._popen.send_signal(signal.SIGTERM)
            self._popen.wait(30)


class PrivatePostgres:
    """A PostgreSQL in a folder of its own, run by whoever runs the tests, or by the user postgres for root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            found = pwd.getpwnam(self._user)
            os.chown(folder, found.pw_uid, found.pw_gid)
        self._call("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8")

    def start(self) -> None:
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1"
        self._call("pg_ctl", "start", "--wait", "-o", options, "-l", str(self._folder / "log"))

    def stop(self) -> None:
        self._call("pg_ctl", "stop", "--wait", "--mode=fast")

    def _call(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *words]
        subprocess.run(command, check=True, user=self._user, cwd=self._folder, stdout=subprocess.DEVNULL)


@contextmanager
def private_redis() -> Iterator[PrivateRedis]:
    """Run a Redis until the block ends."""
    if shutil.which("redis-server") is None:
        skip_or_fail("no redis-server")
    server = PrivateRedis()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    """Run a PostgreSQL until the block ends."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    program = shutil.which("initdb") or (found[-1] if found else None)
    if program is None:
        skip_or_fail("no initdb")
    # Not below pytest's own folder, which the user postgres may not enter.
    with tempfile.TemporaryDirectory(prefix="engram-postgres-") as folder:
        server = PrivatePostgres(Path(str(program)).parent, Path(folder))
        server.start()
        try:
            with psycopg.connect(server.url, connect_timeout=5) as connection:
                connection.execute("SELECT 1")
            yield server
        finally:
            server.stop()


def _wait_for(look: object, not_yet: type[Exception], seconds: float = 20) -> None:
    assert callable(look)
    end = monotonic() + seconds
    while True:
        try:
            look()
        except not_yet:
            assert monotonic() < end, "never there"
            sleep(0.05)
        else:
            return
