"""People who answer by the truth: each leases, thinks, answers, and now and then does so too late."""

from __future__ import annotations

import http.client
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any

from service.clock import SECOND, SystemClock, micros

_LOST = 410
_FORGETS_ONE_IN = 50
_RETRY_SECONDS = 0.05


@dataclass
class Held:
    """One lease: of what, by whom, and how it ended. Times are microseconds since 1970."""

    query: str
    by: int
    granted_at: int
    expires_at: int
    sent_at: int | None = None
    done_at: int = 0
    status: int | None = None

    @property
    def until(self) -> int:
        """When it ended: by its answer, or by itself."""
        return self.expires_at if self.sent_at is None else min(self.expires_at, self.sent_at)


class Caller:
    """One connection that stays open; a server that is away is asked again until it is there."""

    def __init__(self, url: str, token: str) -> None:
        self._address = url.removeprefix("http://")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(self._address, timeout=60)

    def post(self, path: str, body: dict[str, Any], stop: Event | None = None) -> tuple[int, Any, float]:
        """Return status, answer, and how long the try that was answered took, in seconds."""
        while True:
            begin = perf_counter()
            try:
                self._connection.request("POST", path, json.dumps(body), self._headers)
                answer = self._connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                if stop is not None and stop.is_set():
                    return 0, None, 0.0
                sleep(_RETRY_SECONDS)
                continue
            took = perf_counter() - begin
            if answer.status in (429, 503):
                sleep(_RETRY_SECONDS)
                continue
            return answer.status, json.loads(content or b"null"), took

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass
class Annotator:
    """Works until told to stop.

    Args:
        number: tells annotators apart.
        caller: how the service is reached.
        stream: whose queries are answered.
        truth: the label of a sample's id.
        think: mean seconds between lease and answer; 0: none.
        wait: longest seconds that a lease waits for queries.
    """

    number: int
    caller: Caller
    stream: str
    truth: Callable[[str], str]
    think: float
    wait: float = 1.0
    held: list[Held] = field(default_factory=list)
    lease_seconds: list[float] = field(default_factory=list)
    answer_seconds: list[float] = field(default_factory=list)

    def work(self, stop: Event) -> None:
        """Lease and answer, one query after the other."""
        draw, clock = random.Random(self.number), SystemClock()
        stop.wait(self.think * draw.random())  # nobody begins at the same moment
        while not stop.is_set():
            body = {"limit": 1, "wait_seconds": self.wait}
            status, found, took = self.caller.post(f"/v1/streams/{self.stream}/queries:lease", body, stop)
            if status == 0:
                return
            assert status == 200, found
            if not found["queries"]:
                continue
            self.lease_seconds.append(took)
            query = found["queries"][0]
            expires = _micros(query["lease"]["expires_at"])
            held = Held(query["id"], self.number, clock.now(), expires)
            self.held.append(held)
            if self.think and draw.randrange(_FORGETS_ONE_IN) == 0:
                # Just too late: what is answered now must be refused.
                stop.wait(max(0.0, (expires - clock.now()) / SECOND + 0.01))
            else:
                stop.wait(self.think * (0.5 + draw.random()))
            answer = {"lease_token": query["lease"]["token"], "label": self.truth(query["sample_id"])}
            held.sent_at = clock.now()
            held.status, _, took = self.caller.post(f"/v1/queries/{query['id']}:answer", answer)
            held.done_at = clock.now()
            if not stop.is_set():  # at the end all answer at the same moment
                self.answer_seconds.append(took)
        self.caller.close()


def work_together(crew: Sequence[Annotator], seconds: float, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Let all work side by side for so long, or until `meanwhile` has ended where that is later."""
    stop = Event()
    threads = [Thread(target=annotator.work, args=(stop,)) for annotator in crew]
    for thread in threads:
        thread.start()
    begin = perf_counter()
    meanwhile()
    sleep(max(0.0, seconds - (perf_counter() - begin)))
    stop.set()
    for thread in threads:
        thread.join()


def faults(crew: Iterable[Annotator]) -> dict[str, int]:
    """Count what must never be: all 0 where the queue kept its word.

    `answered_by_two` queries with two accepted answers; `held_by_two` queries leased to two at one moment; `outlived`
    answers accepted after their lease's end; `refused` answers within their lease that were not accepted; `starved`
    annotators who got nothing.
    """
    people = list(crew)
    leases = [held for annotator in people for held in annotator.held]
    accepted = Counter(held.query for held in leases if held.status == 200)
    by_query: dict[str, list[Held]] = defaultdict(list)
    for held in sorted(leases, key=lambda held: held.granted_at):
        by_query[held.query].append(held)
    return {
        "answered_by_two": sum(count > 1 for count in accepted.values()),
        "held_by_two": sum(b.granted_at < a.until for of in by_query.values() for a, b in pairwise(of)),
        "outlived": sum(held.status == 200 and (held.sent_at or 0) > held.expires_at for held in leases),
        "refused": sum(held.status == _LOST and held.done_at < held.expires_at for held in leases),
        "starved": sum(not annotator.held for annotator in people),
    }


def _micros(moment: str) -> int:
    return micros(datetime.fromisoformat(moment))
