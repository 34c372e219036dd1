"""Both buses tell news to every subscriber and work to one taker, and never fail whoever publishes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from itertools import count
from os import getpid
from threading import Thread
from time import monotonic, sleep

import pytest
import redis

from service.bus import Bus
from service.bus.local import LocalBus
from service.bus.redis import RedisBus
from service.events import WORK, Topic, Wakeup
from tests.conftest import REDIS, eventually, skip_or_fail

NEWS = [topic for topic in Topic if topic not in WORK]

# Others may speak on the same Redis: each test listens for streams that nobody else names.
_ids = (getpid() * 1_000_000 + n for n in count())


def redis_url() -> str:
    try:
        with redis.Redis.from_url(REDIS, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError as error:
        skip_or_fail(f"no Redis at {REDIS}: {error}")
    return REDIS


@pytest.fixture(params=["local", "redis"])
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    made: Bus = LocalBus() if request.param == "local" else RedisBus(redis_url())
    yield made
    made.close()


class Listener:
    """Notes what it hears of one stream."""

    def __init__(self, stream: int) -> None:
        self.stream = stream
        self.heard: list[Topic] = []

    def __call__(self, wakeup: Wakeup) -> None:
        if wakeup.stream_id == self.stream:
            self.heard.append(wakeup.topic)

    def hears(self, *topics: Topic) -> None:
        assert eventually(lambda: list(self.heard), lambda heard: len(heard) >= len(topics), 5) == list(topics)


def test_every_subscriber_hears_everything_in_order(bus: Bus) -> None:
    stream = next(_ids)
    listeners = [Listener(stream) for _ in range(3)]
    for listener in listeners:
        bus.subscribe(listener)
    for topic in NEWS:
        bus.publish(Wakeup(topic, stream))
    for listener in listeners:
        listener.hears(*NEWS)


def test_whoever_unsubscribed_hears_no_more_and_the_others_do(bus: Bus) -> None:
    stream = next(_ids)
    gone, stays = Listener(stream), Listener(stream)
    end = bus.subscribe(gone)
    bus.subscribe(stays)
    bus.publish(Wakeup(Topic.MODEL_ADVANCED, stream))
    gone.hears(Topic.MODEL_ADVANCED)
    end()
    end()  # twice is harmless
    bus.publish(Wakeup(Topic.QUEUE_GREW, stream))
    stays.hears(Topic.MODEL_ADVANCED, Topic.QUEUE_GREW)
    assert gone.heard == [Topic.MODEL_ADVANCED]


def test_a_handler_may_unsubscribe_while_it_is_called(bus: Bus) -> None:
    stream = next(_ids)
    heard: list[Topic] = []
    after = Listener(stream)

    def once(wakeup: Wakeup) -> None:
        if wakeup.stream_id == stream:
            heard.append(wakeup.topic)
            end()

    end = bus.subscribe(once)
    bus.subscribe(after)
    bus.publish(Wakeup(Topic.MODEL_ADVANCED, stream))
    bus.publish(Wakeup(Topic.MODEL_ADVANCED, stream))
    after.hears(Topic.MODEL_ADVANCED, Topic.MODEL_ADVANCED)
    assert heard == [Topic.MODEL_ADVANCED]


def test_a_subscriber_that_is_gone_keeps_nobody_from_hearing(bus: Bus) -> None:
    stream = next(_ids)
    loop = asyncio.new_event_loop()
    loop.close()
    bus.subscribe(lambda _: loop.call_soon_threadsafe(print) and None)
    stays = Listener(stream)
    bus.subscribe(stays)
    bus.publish(Wakeup(Topic.MODEL_ADVANCED, stream))
    bus.publish(Wakeup(Topic.EVENTS_ADDED, stream))
    stays.hears(Topic.MODEL_ADVANCED, Topic.EVENTS_ADDED)


def test_many_may_publish_at_once(bus: Bus) -> None:
    stream = next(_ids)
    listener = Listener(stream)
    bus.subscribe(listener)
    threads = [
        Thread(target=lambda: [bus.publish(Wakeup(Topic.QUEUE_GREW, stream)) for _ in range(25)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listener.hears(*[Topic.QUEUE_GREW] * 100)


def test_work_finds_the_one_taker_that_chose_its_stream(bus: Bus) -> None:
    ours, theirs = next(_ids), next(_ids)
    listener = Listener(ours)
    bus.subscribe(listener)
    one, other = Listener(ours), Listener(ours)
    bus.take(one).choose([ours])
    bus.take(other).choose([theirs])
    bus.publish(Wakeup(Topic.LOG_GREW, ours))
    bus.publish(Wakeup(Topic.EVENTS_ADDED, ours))
    one.hears(Topic.LOG_GREW)
    listener.hears(Topic.EVENTS_ADDED)
    assert other.heard == []


def test_work_that_two_would_take_finds_one_of_them(bus: Bus) -> None:
    stream = next(_ids)
    takers = [Listener(stream), Listener(stream)]
    for taker in takers:
        bus.take(taker).choose([stream])
    for _ in range(5):
        bus.publish(Wakeup(Topic.LOG_GREW, stream))
    found: Callable[[], list[Topic]] = lambda: takers[0].heard + takers[1].heard  # noqa: E731
    assert eventually(found, lambda heard: len(heard) >= 5, 5) == [Topic.LOG_GREW] * 5
    sleep(0.1)
    assert len(found()) == 5


def test_work_waits_for_whoever_takes_the_stream_first(bus: Bus) -> None:
    stream, other = next(_ids), next(_ids)
    bus.publish(Wakeup(Topic.LOG_GREW, stream))
    late = Listener(stream)
    taker = bus.take(late)
    taker.choose([other])
    taker.choose([stream, other])
    late.hears(Topic.LOG_GREW)


def test_a_stream_given_up_is_heard_of_by_whoever_chose_it_after(bus: Bus) -> None:
    stream = next(_ids)
    before, after = Listener(stream), Listener(stream)
    first, second = bus.take(before), bus.take(after)
    first.choose([stream])
    bus.publish(Wakeup(Topic.LOG_GREW, stream))
    before.hears(Topic.LOG_GREW)
    first.choose([])
    first.end()
    first.end()  # twice is harmless
    second.choose([stream])
    bus.publish(Wakeup(Topic.LOG_GREW, stream))
    after.hears(Topic.LOG_GREW)
    assert len(before.heard) == 1


def test_after_closing_nothing_is_heard_and_nothing_raises(bus: Bus) -> None:
    stream = next(_ids)
    listener = Listener(stream)
    end = bus.subscribe(listener)
    bus.close()
    bus.publish(Wakeup(Topic.MODEL_ADVANCED, stream))
    end()
    assert listener.heard == []


def test_two_processes_on_one_redis_hear_each_other() -> None:
    stream = next(_ids)
    here, there = RedisBus(redis_url()), RedisBus(redis_url())
    try:
        listener = Listener(stream)
        here.subscribe(listener)
        there.publish(Wakeup(Topic.MODEL_ADVANCED, stream))
        listener.hears(Topic.MODEL_ADVANCED)
    finally:
        here.close()
        there.close()


def test_work_of_one_process_finds_a_taker_in_another() -> None:
    stream = next(_ids)
    here, there = RedisBus(redis_url()), RedisBus(redis_url())
    try:
        taker = Listener(stream)
        here.take(taker).choose([stream])
        there.publish(Wakeup(Topic.LOG_GREW, stream))
        taker.hears(Topic.LOG_GREW)
    finally:
        here.close()
        there.close()


def test_a_redis_that_forgot_everything_is_told_of_the_group_again() -> None:
    stream = next(_ids)
    bus = RedisBus(redis_url())
    try:
        taker = Listener(stream)
        bus.take(taker).choose([stream])
        bus.publish(Wakeup(Topic.LOG_GREW, stream))
        taker.hears(Topic.LOG_GREW)
        with redis.Redis.from_url(REDIS) as client:
            client.delete(f"engram:work:{stream}")
        bus.publish(Wakeup(Topic.LOG_GREW, stream))
        taker.hears(Topic.LOG_GREW, Topic.LOG_GREW)
    finally:
        bus.close()


@pytest.mark.parametrize("noise", [b"\xff", b"not json", b"{}", b'["unheard_of", 1]', b'["log_grew"]', b"[[], {}]"])
def test_noise_on_the_channel_is_passed_over(noise: bytes) -> None:
    stream = next(_ids)
    bus = RedisBus(redis_url())
    try:
        listener = Listener(stream)
        bus.subscribe(listener)
        with redis.Redis.from_url(REDIS) as client:
            client.publish("engram:wakeups", noise)
        bus.publish(Wakeup(Topic.MODEL_ADVANCED, stream))
        listener.hears(Topic.MODEL_ADVANCED)
    finally:
        bus.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_without_redis_publishing_neither_raises_nor_takes_long() -> None:
    bus = RedisBus(f"redis://127.0.0.1:{free_port()}/0")
    try:
        bus.take(lambda _: None).choose([1])
        started = monotonic()
        for n in range(20_000):
            bus.publish(Wakeup(list(Topic)[n % len(Topic)], 1))
        assert monotonic() - started < 5
    finally:
        bus.close()


class Relay:
    """Stands between a bus and Redis, and can be cut and mended."""

    def __init__(self) -> None:
        where = redis.connection.parse_url(redis_url())
        self._to = (where.get("host", "127.0.0.1"), where.get("port", 6379))
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for found in self._open:
            try:
                found.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._open = []

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(self._to)
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket) -> None:
        with one:
            try:
                while data := one.recv(65536):
                    other.sendall(data)
                other.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def test_a_bus_that_lost_redis_hears_again_once_it_is_back() -> None:
    stream, relay = next(_ids), Relay()
    bus = RedisBus(f"redis://127.0.0.1:{relay.port}/9")
    try:
        listener = Listener(stream)
        bus.subscribe(listener)
        bus.publish(Wakeup(Topic.MODEL_ADVANCED, stream))
        listener.hears(Topic.MODEL_ADVANCED)
        relay.cut()
        publish: Callable[[], None] = lambda: bus.publish(Wakeup(Topic.QUEUE_GREW, stream))  # noqa: E731
        eventually(lambda: publish() or listener.heard, lambda heard: Topic.QUEUE_GREW in heard, 15)
    finally:
        bus.close()
        relay.close()
