"""A database that goes away is said to be away, and so is a disk that fails; what was acknowledged stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import sqlalchemy as sa

from service.settings import Settings
from tests.conftest import POSTGRES, Running, eventually, postgres_database, running


@contextmanager
def away(url: str) -> Iterator[None]:
    """Take no connections to a database, and end those that there are, until the block ends."""
    name = sa.make_url(url).database
    server = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(sa.text(ended), {"name": name})
        try:
            yield
        finally:
            connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    server.dispose()


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1


def events(service: Running) -> Iterator[str]:
    with service.client.stream("GET", "/v1/streams/s/events", headers={"Last-Event-ID": "0"}) as answer:
        yield from (line for line in answer.iter_lines() if line.startswith("event:"))


def test_requests_get_503_while_the_database_is_away_and_all_goes_on_when_it_is_back(tmp_path: Path) -> None:
    with (
        postgres_database() as url,
        running(Settings(data_dir=tmp_path, database_url=url, poll_seconds=0.1)) as service,
    ):
        service.stream(classes=["a", "b"])
        service.post([1, 2], label="a")
        service.settled()
        told = events(service)
        assert next(told) == "event: prediction"
        with away(url):
            assert_unavailable(service.client.get("/v1/streams/s"))
            assert_unavailable(service.client.post("/v1/streams/s/samples", json={"id": "x", "data": [1, 2]}))
            assert service.client.get("/healthz").status_code == 200
        sent = {"id": "x", "data": [1, 2], "label": "b"}
        eventually(
            lambda: service.client.post("/v1/streams/s/samples", json=sent).status_code, lambda status: status == 200
        )
        assert service.settled()["labels"] == 2
        assert next(line for line in told if line == "event: label")
        assert next(line for line in told if line == "event: label")  # who followed still follows


def test_a_disk_that_fails_to_sync_acknowledges_nothing_until_another_start(tmp_path: Path) -> None:
    sent = {"id": "x", "data": [1, 2], "label": "b"}

    def fails() -> None:
        raise OSError(5, "Input/output error")

    with running(Settings(data_dir=tmp_path)) as service:
        service.stream(classes=["a", "b"])
        service.post([1, 2], id="before", label="a")
        service.settled()
        service.parts.db._writer._syncs._sync = fails  # type: ignore[attr-defined]
        for _ in range(2):
            assert_unavailable(service.client.post("/v1/streams/s/samples", json=sent))
        ready = service.client.get("/readyz")
        assert_unavailable(ready)
        assert "disk" in ready.json()["detail"]
        assert service.client.get("/healthz").status_code == 200
        assert service.client.get("/v1/streams/s").status_code == 200
    with running(Settings(data_dir=tmp_path)) as service:
        assert service.client.get("/readyz").status_code == 200
        assert service.client.post("/v1/streams/s/samples", json=sent).status_code == 200
        assert service.settled()["labels"] == 2
