"""Real databases, a real server on a real socket."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from service.app import build_parts, close_parts
from service.clock import SystemClock
from service.core import access
from service.core.parts import Parts
from service.serving import admin_token, listen, make_server, url_of
from service.settings import Settings
from service.storage.session import Database

POSTGRES = os.environ.get("ENGRAM_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")  # noqa: TID251
REDIS = os.environ.get("ENGRAM_TEST_REDIS", "redis://127.0.0.1:6379/9")  # noqa: TID251
IN_CI = os.environ.get("CI") == "true"  # noqa: TID251


def skip_or_fail(reason: str) -> None:
    """Skip where a person tests without a service; in continuous integration nothing may be missing."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def postgres_database(like: str = "template1") -> Iterator[str]:
    """Make a database of its own, empty unless it is to be like another, and drop it afterwards."""
    name = f"engram_test_{uuid.uuid4().hex[:12]}"
    server = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        with server.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {like}"))
    except sa.exc.OperationalError as error:
        skip_or_fail(f"no PostgreSQL at {POSTGRES}: {error.orig}")
    try:
        yield sa.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database without tables: every test that asks for it runs on both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'engram.db'}"
        return
    with postgres_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database with empty tables: every test that asks for it runs on both."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'engram.db'}"
        put_tables(url)
        yield url
        return
    with postgres_database(request.getfixturevalue("postgres_tables")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_tables() -> Iterator[str]:
    """Name of a database that is migrated once; a copy is made in less time than the migrations take."""
    with postgres_database() as url:
        migrate(url)
        yield str(sa.make_url(url).database)


def put_tables(url: str) -> None:
    """Put empty tables where an embedded database is not there yet, as its first start would."""
    found = sa.make_url(url)
    if found.get_backend_name() == "sqlite" and found.database and not Path(found.database).exists():
        Path(found.database).parent.mkdir(parents=True, exist_ok=True)
        Path(found.database).write_bytes(_sqlite_tables())


@cache
def _sqlite_tables() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "engram.db"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


def migrate(url: str) -> None:
    """Bring a database to the newest version."""
    db = Database(url)
    try:
        db.migrate()
    finally:
        db.close()


@dataclass
class Running:
    """A service that answers."""

    url: str
    token: str
    parts: Parts
    client: httpx.Client
    stop: Callable[[], None]
    tokens: dict[str, str] = field(default_factory=dict)

    def as_role(self, role: str) -> httpx.Client:
        """Return a client with a token of that role."""
        made = self.parts.db.write_now(lambda c: access.create(c, SystemClock(), access.Role(role)))
        headers = {"Authorization": f"Bearer {made[1]}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def stream(self, name: str = "s", **more: Any) -> dict[str, Any]:
        """Make a stream of vectors of two numbers, unless told otherwise."""
        body = {"name": name, "input": {"kind": "vector", "dim": 2}, "learner": {"seed": 7, "hidden": [32]}} | more
        answer = self.client.post("/v1/streams", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def post(self, data: Any, name: str = "s", **more: Any) -> dict[str, Any]:
        """Post one sample."""
        answer = self.client.post(f"/v1/streams/{name}/samples", json={"data": data} | more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def lease(self, name: str = "s", limit: int = 1) -> list[dict[str, Any]]:
        """Lease queries."""
        answer = self.client.post(f"/v1/streams/{name}/queries:lease", json={"limit": limit})
        assert answer.status_code == 200, answer.text
        return answer.json()["queries"]

    def answer(self, query: dict[str, Any], label: str) -> dict[str, Any]:
        """Answer a leased query."""
        body = {"lease_token": query["lease"]["token"], "label": label}
        answer = self.client.post(f"/v1/queries/{query['id']}:answer", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stats(self, name: str = "s") -> dict[str, Any]:
        """Return a stream's figures."""
        return self.client.get(f"/v1/streams/{name}/stats").raise_for_status().json()

    def settled(self, name: str = "s") -> dict[str, Any]:
        """Wait until every label is learned and stored, and return the figures."""
        return eventually(lambda: self.stats(name), lambda s: s["applied_seq"] == s["log_seq"] == s["model_version"])


def eventually(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 20) -> Any:
    """Return what `look` sees once it is good."""
    end = monotonic() + seconds
    while True:
        found = look()
        if good(found):
            return found
        assert monotonic() < end, f"still {found}"
        sleep(0.01)


@contextmanager
def running(settings: Settings, **parts_made_of: Any) -> Iterator[Running]:
    """Serve in a thread until the block ends."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    put_tables(settings.database)
    parts = build_parts(settings, **parts_made_of)
    bound = listen("127.0.0.1", 0)
    server = make_server(parts, bound)
    token, _new = admin_token(parts, settings.data_dir)
    thread = Thread(target=server.run_here, args=(bound,))
    thread.start()

    def stop() -> None:
        parts.stopping.set()
        server.should_exit = True
        thread.join()

    try:
        assert parts.ready.wait(30)
        headers = {"Authorization": f"Bearer {token}"}
        url = url_of(bound)
        with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
            eventually(lambda: server.started, bool)
            yield Running(url, str(token), parts, client, stop)
    finally:
        stop()
        close_parts(parts)
        bound.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an embedded service in an empty folder."""
    return Settings(data_dir=tmp_path / "data", poll_seconds=0.1)


@pytest.fixture
def service(settings: Settings) -> Iterator[Running]:
    """A running embedded service."""
    with running(settings) as found:
        yield found


@pytest.fixture
def service_on(database_url: str, tmp_path: Path) -> Iterator[Running]:
    """A running service on SQLite, and again on PostgreSQL."""
    with running(Settings(data_dir=tmp_path / "data", database_url=database_url, poll_seconds=0.1)) as found:
        yield found
