"""API processes and workers started apart, as docker-compose.yml starts them, through the loss of each, under load."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import select

from benchmarks.chaos_check import check, read_notes
from benchmarks.chaos_load import STREAM, description
from benchmarks.chaos_processes import Process, start_load
from service.clock import SystemClock
from service.core import access
from service.core.inputs import from_bytes
from service.core.models.scoring import prediction_body, uncertainty_body
from service.core.models.training import apprentice, restore
from service.core.specs import as_input
from service.settings import Settings
from service.storage import samples as sample_rows
from service.storage import streams as stream_rows
from service.storage.session import Database
from service.storage.streams import Stream
from service.storage.tables import samples, writers
from tests.conftest import eventually
from tests.journeys.servers import PrivatePostgres, PrivateRedis, private_postgres, private_redis

COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())["services"]
TAKEN_OVER_SECONDS = 10
REDIS_AWAY_SECONDS = 20


@dataclass
class Cluster:
    """What docker-compose.yml describes, as plain processes, with a producer and an annotator at work."""

    postgres: PrivatePostgres
    redis: PrivateRedis
    apis: list[Process]
    workers: list[Process]
    db: Database
    token: str
    load: list[tuple[subprocess.Popen[bytes], Path]]

    def stream(self) -> Stream:
        found = self.db.read_now(lambda c: stream_rows.by_name(c, STREAM))
        assert found is not None
        return found

    def writer(self) -> tuple[Process, int]:
        """Return the worker that holds the stream, and the fence."""
        row = self.db.read_now(lambda c: c.execute(select(writers.c.worker, writers.c.fence)).one())
        return next(process for process in self.workers if str(row.worker) in process.log()), int(row.fence)

    def goes_on(self, seconds: float = 30) -> None:
        """Wait until something that came after this moment is learned, on the way that all labels go."""
        before = self.stream().log_seq
        log_seq = eventually(lambda: self.stream().log_seq, lambda seq: seq > before, 30)
        eventually(lambda: self.stream().applied_seq, lambda seq: seq >= log_seq, seconds)

    def get(self, process: Process, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.get(process.url + path, headers=headers, timeout=30, trust_env=False).raise_for_status().json()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(private_postgres()), stack.enter_context(private_redis())
        settings = {
            "ENGRAM_DATABASE_URL": postgres.url,
            "ENGRAM_REDIS_URL": redis.url,
            "ENGRAM_LEASE_SECONDS": "5",
            "ENGRAM_SNAPSHOT_EVERY": "20",
            "ENGRAM_EVENTS_KEPT": "1000000",
        }
        apis, workers = (
            [Process(folder, [name], settings) for _ in range(COMPOSE[name]["deploy"]["replicas"])]
            for name in ("api", "worker")
        )
        for process in (*apis, *workers):
            stack.callback(process.kill)
            process.start()
        for process in (*apis, *workers):
            process.ready()
        db = Database(Settings(database_url=postgres.url).database)
        stack.callback(db.close)
        _who, token = db.write_now(lambda c: access.create(c, SystemClock(), access.Role.ADMIN))
        headers = {"Authorization": f"Bearer {token}"}
        httpx.post(f"{apis[0].url}/v1/streams", json=description(), headers=headers, timeout=30).raise_for_status()
        load = start_load(folder, token, [process.url for process in apis])
        for popen, _notes in load:
            stack.callback(popen.wait)
            stack.callback(popen.kill)
        yield Cluster(postgres, redis, apis, workers, db, token, load)


def test_the_composition_starts_the_commands_that_are_tested_here() -> None:
    for name in ("api", "worker"):
        assert COMPOSE[name]["command"][:2] == ["engram", name]
        assert COMPOSE[name]["deploy"]["replicas"] == 2


def test_when_the_writer_is_killed_the_other_worker_goes_on(cluster: Cluster) -> None:
    cluster.goes_on()
    process, fence = cluster.writer()
    process.kill()
    began = monotonic()
    eventually(cluster.writer, lambda found: found[1] > fence and found[0] is not process)
    cluster.goes_on()
    assert monotonic() - began < TAKEN_OVER_SECONDS
    process.start()
    process.ready()
    assert cluster.writer()[0] is not process  # nothing moves without need


def test_a_paused_writer_that_wakes_cannot_write(cluster: Cluster) -> None:
    cluster.goes_on()
    process, fence = cluster.writer()
    process.send(signal.SIGSTOP)
    began = monotonic()
    eventually(cluster.writer, lambda found: found[1] > fence)
    cluster.goes_on()
    assert monotonic() - began < TAKEN_OVER_SECONDS
    other, fence = cluster.writer()
    assert other is not process
    process.send(signal.SIGCONT)
    eventually(process.log, lambda text: "worker.stream_lost" in text)
    cluster.goes_on()
    assert cluster.writer() == (other, fence)


def test_without_redis_all_goes_on_by_looking(cluster: Cluster) -> None:
    cluster.redis.stop()
    back = monotonic() + REDIS_AWAY_SECONDS
    while monotonic() < back:
        cluster.goes_on()
    cluster.redis.start()
    cluster.goes_on()


def test_a_restart_of_the_database_stops_nobody_for_good(cluster: Cluster) -> None:
    cluster.goes_on()
    cluster.postgres.stop()
    sleep(1)
    cluster.postgres.start()
    cluster.goes_on()


def test_nothing_is_lost_or_doubled_and_all_answer_as_one_process_would(cluster: Cluster) -> None:
    cluster.goes_on()
    for popen, _notes in cluster.load:
        popen.terminate()
    assert [popen.wait(60) for popen, _notes in cluster.load] == [0, 0]
    stream = eventually(cluster.stream, lambda found: found.applied_seq == found.log_seq)
    for api in cluster.apis:
        assert_as_one_process(cluster, api, stream)
    assert [process.drained() for process in (*cluster.apis, *cluster.workers)] == [0] * 4
    found = check(cluster.db, read_notes(notes for _popen, notes in cluster.load))
    assert not any(found["faults"].values()), found
    assert found["acknowledged_samples"] > 20
    assert found["acknowledged_labels"] > 10
    assert sum(process.failures() for process in (*cluster.apis, *cluster.workers)) == 0


def assert_as_one_process(cluster: Cluster, api: Process, stream: Stream) -> None:
    """Compare what an API process says of the newest samples with a fold of the log in this process."""
    state = cluster.db.read_now(lambda c: restore(c, stream, "cpu", until=stream.log_seq))
    scorer = apprentice(stream, "cpu").learner.scorer(state)
    newest = select(samples.c.id).where(samples.c.stream_id == stream.id).order_by(samples.c.n.desc()).limit(10)
    for sample_id in cluster.db.read_now(lambda c: c.execute(newest).scalars().all()):
        path = f"/v1/streams/{STREAM}/samples/{sample_id}?at=now"
        now = eventually(
            lambda path=path: cluster.get(api, path)["now"], lambda now: now["model_version"] == stream.log_seq
        )
        row = cluster.db.read_now(lambda c, name=sample_id: sample_rows.one(c, stream.id, name))
        assert row is not None
        said = scorer.predict(from_bytes(row.features, as_input(stream.input)))
        assert now["prediction"] == prediction_body(said)
        assert now["uncertainty"] == uncertainty_body(said)
