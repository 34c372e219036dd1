"""A worker whose database went away in a commit, and what became of its stream meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import sleep

import httpx
import pytest
from sqlalchemy import Connection

from service.core.labels.tending import Tending
from service.core.models import rebuilding
from service.core.models.holding import Holdings
from service.core.models.trainer import StreamTrainer
from service.core.precedence import Precedence
from service.settings import Settings
from service.storage import leases
from service.storage.streams import Stream
from service.storage.syncs import UncertainError
from service.storage.tables import writers
from tests.conftest import Running, eventually, running


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Running]:
    with running(Settings(data_dir=tmp_path, database_url=database_url, poll_seconds=0.05)) as found:
        found.stream(classes=["a", "b"])
        found.settled()
        yield found


def take_for_another(connection: Connection) -> None:
    leases.beat(connection, "another", started_at=0, until=2**62)
    connection.execute(writers.update().values(worker="another", fence=writers.c.fence + 1))


def writer(service: Running) -> tuple[str, int]:
    row = service.parts.db.read_now(lambda c: c.execute(writers.select()).one())
    return row.worker, row.fence


def lost(service: Running) -> float:
    lines = httpx.get(f"{service.url}/metrics", trust_env=False).raise_for_status().text.splitlines()
    [count] = [line.split()[1] for line in lines if line.startswith("engram_streams_lost_total ")]
    return float(count)


def test_what_wakes_the_worker_for_a_label_looks_up_no_leases_and_gives_way_to_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, came, before = [], [], (Holdings.balance, Precedence.first, Precedence.give_way)
    monkeypatch.setattr(Holdings, "balance", lambda self: looked.append(1) or before[0](self))
    monkeypatch.setattr(Precedence, "first", lambda self, **told: came.append("person") or before[1](self, **told))
    monkeypatch.setattr(Precedence, "give_way", lambda self: came.append("work") or before[2](self))
    with running(Settings(data_dir=tmp_path, poll_seconds=60.0)) as service:
        service.stream(classes=["a", "b"])
        service.settled()
        looks = len(looked)
        assert looks >= 2  # at the beginning, and for the new stream
        for number in range(3):
            service.post([number, 1])
            came.clear()
            [query] = service.lease()
            assert came.count("person") == 1
            service.answer(query, "a")
            service.settled()
            assert came.count("person") == 2
            assert "work" in came
        assert len(looked) == looks


def doubt(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> Event:
    """Let one commit end in doubt, and `meanwhile` happen before; return what says that it did."""
    advance, done = StreamTrainer.advance, Event()

    def doubtful(trainer: StreamTrainer) -> bool:
        if done.is_set():
            return advance(trainer)
        meanwhile()
        done.set()
        raise UncertainError("the connection was closed")

    monkeypatch.setattr(StreamTrainer, "advance", doubtful)
    return done


def test_a_stream_in_doubt_that_another_took_is_counted_as_lost_once(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    _worker, fence = writer(service)
    done = doubt(monkeypatch, lambda: service.parts.db.write_now(take_for_another))
    assert done.wait(10)
    eventually(lambda: lost(service), lambda count: count == 1)
    sleep(0.5)
    assert lost(service) == 1
    assert writer(service) == ("another", fence + 1)


def test_a_stream_in_doubt_that_nobody_took_is_learned_on(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    before = writer(service)
    assert doubt(monkeypatch, lambda: None).wait(10)
    service.post([1, 2], label="a")
    service.settled()
    assert writer(service) == before
    assert lost(service) == 0


def test_a_stream_that_is_removed_while_it_is_worked_on_is_no_failure(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, gone = Tending.step, Event()

    def removed_before(tending: Tending, stream: Stream) -> float | None:
        if stream.name == "gone" and stream.applied_seq and not gone.is_set():
            assert service.client.delete("/v1/streams/gone").status_code == 204
            gone.set()
        return step(tending, stream)

    service.stream("gone", classes=["a", "b"])
    for number in range(5):
        service.post([number, 1], "gone")
    service.settled("gone")
    monkeypatch.setattr(Tending, "step", removed_before)
    service.answer(service.lease("gone")[0], "a")
    assert gone.wait(10)
    service.post([1, 2], label="a")
    service.settled()
    failures = httpx.get(f"{service.url}/metrics", trust_env=False).text
    assert "engram_worker_failures_total 0.0" in failures


def test_a_rebuild_lets_other_streams_learn_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "_BREATH_SECONDS", 0.01)
    with running(Settings(data_dir=tmp_path, poll_seconds=0.05)) as service:
        for name in ("long", "short"):
            service.stream(name, classes=["a", "b"])
        sent = [{"data": [n, 1], "label": "ab"[n % 2]} for n in range(1000)]
        service.client.post("/v1/streams/long/samples:batch", json={"samples": sent}).raise_for_status()
        service.settled("long")
        first = service.client.get("/v1/streams/long/labels", params={"limit": 1}).json()["items"][0]
        job = service.client.delete(f"/v1/labels/{first['label_id']}").json()["job"]["id"]
        state = lambda: service.client.get(f"/v1/jobs/{job}").json()["state"]  # noqa: E731
        eventually(state, lambda found: found == "running")
        for n in range(3):
            service.post([n, 1], "short", label="a")
            service.settled("short")
        assert state() == "running"
        eventually(state, lambda found: found == "done", 60)
        assert service.settled("long")["labels"] == 999
