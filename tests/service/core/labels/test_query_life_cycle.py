"""A query's life, driven every which way over HTTP, against a plain model of what must be true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from service.clock import SECOND
from service.core import access
from service.core.parts import Parts
from service.settings import Settings
from service.storage import log
from service.storage import streams as stream_rows
from service.storage.tables import late_answers
from tests.conftest import Running, eventually, running

LEASE_SECONDS = 60
LONGEST_HOLD = 20 * LEASE_SECONDS * SECOND
WHO = ("ada", "ben")


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._now = 1_700_000_000 * SECOND

    def now(self) -> int:
        self._now += 1  # ids and events keep their order
        return self._now

    def pass_seconds(self, seconds: float) -> None:
        self._now += int(seconds * SECOND)


@dataclass
class Known:
    """What the model holds of one query."""

    sample: str
    state: str = "open"
    token: str | None = None
    by: str | None = None
    until: int = 0
    last: int = 0
    label: str | None = None

    def leased(self, token: str, by: str, now: int) -> None:
        self.token, self.by = token, by
        self.until, self.last = now + LEASE_SECONDS * SECOND, now + LONGEST_HOLD


@dataclass
class Person:
    """Sends every request with one person's token."""

    client: httpx.Client
    headers: dict[str, str]

    def __call__(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.client.request(method, path, json=body, headers=self.headers)


def signed_in(service: Running, name: str) -> Person:
    role = access.Role.ADMIN if name == "admin" else access.Role.ANNOTATOR
    parts = service.parts
    _who, text = parts.db.write_now(lambda c: access.create(c, parts.clock, role, name))
    return Person(service.client, {"Authorization": f"Bearer {text}"})


class QueryLife(RuleBasedStateMachine):
    """Posts, leases, answers, skips, gives back, holds on, lets expire, takes back, and tells late truths."""

    samples: Bundle[str] = Bundle("samples")
    leases: Bundle[tuple[str, str, str]] = Bundle("leases")
    labels: Bundle[str] = Bundle("labels")

    parts: Parts
    clock: ManualClock
    people: dict[str, Person]
    number = 0

    def __init__(self) -> None:
        super().__init__()
        self.queries: dict[str, Known] = {}
        self.by_sample: dict[str, str] = {}
        self.skipped_by: dict[tuple[str, str], str] = {}
        self.standing: dict[str, tuple[str, str, str | None]] = {}  # by label id: sample, label, query
        self.log: list[str] = []
        self.late: set[tuple[str, str, str]] = set()
        self.skips = 0
        QueryLife.number += 1
        self.name = f"m{QueryLife.number}"
        self.late_before = self._late_answers()

    @initialize()
    def stream(self) -> None:
        body = {
            "name": self.name,
            "input": {"kind": "vector", "dim": 1},
            "classes": ["a", "b"],
            "learner": {"seed": 1, "hidden": [2]},
            "query": {"warmup_labels": 1000},
        }
        assert self.people["admin"]("POST", "/v1/streams", body).status_code == 201

    @rule(target=samples, value=st.integers(-3, 3))
    def post(self, value: int) -> str:
        answer = self.people["admin"]("POST", f"/v1/streams/{self.name}/samples", {"data": [value]}).json()
        self.queries[answer["query"]["id"]] = Known(answer["id"])
        self.by_sample[answer["id"]] = answer["query"]["id"]
        return str(answer["id"])

    @rule(target=leases, who=st.sampled_from(WHO), limit=st.integers(1, 3))
    def lease(self, who: str, limit: int) -> Any:
        free = {
            query_id
            for query_id, known in self.queries.items()
            if known.state == "open" and known.until <= self.clock.now() and (query_id, who) not in self.skipped_by
        }
        body = {"limit": limit}
        got = self.people[who]("POST", f"/v1/streams/{self.name}/queries:lease", body).json()["queries"]
        assert len(got) == min(limit, len(free))
        taken = []
        for query in got:
            assert query["id"] in free
            free.remove(query["id"])
            known = self.queries[query["id"]]
            assert query["sample_id"] == known.sample
            known.leased(query["lease"]["token"], who, self.clock.now())
            taken.append((query["id"], query["lease"]["token"], who))
        return multiple(*taken)

    @rule(target=labels, lease=leases, label=st.sampled_from(["a", "b", "new"]))
    def answer(self, lease: tuple[str, str, str], label: str) -> Any:
        query_id, token, who = lease
        known = self.queries[query_id]
        body = {"lease_token": token, "label": label}
        got = self.people[who]("POST", f"/v1/queries/{query_id}:answer", body)
        if known.state == "answered" and known.token == token:
            if known.label != label:
                assert got.status_code == 409
                return multiple()
            assert got.status_code == 200  # the same answer again is the same answer
            assert got.json()["label_id"] in self.standing
            return multiple()
        if not self._holds(known, token):
            assert got.status_code == 410
            self.late.add((query_id, who, label))  # the same one again is the same
            return multiple()
        assert got.status_code == 200, got.text
        known.state, known.label, known.until = "answered", label, 0
        return self._learned(got.json(), known.sample, label, query_id)

    @rule(lease=leases, reason=st.sampled_from(["unclear", "not_for_me", "none_of_these"]))
    def skip(self, lease: tuple[str, str, str], reason: str) -> None:
        query_id, token, who = lease
        known = self.queries[query_id]
        held = self._holds(known, token)
        got = self.people[who]("POST", f"/v1/queries/{query_id}:skip", {"lease_token": token, "reason": reason})
        again = self.skipped_by.get((query_id, who)) == reason
        assert got.status_code == (204 if held or again else 410)
        if held:
            self.skipped_by[query_id, who] = reason
            known.until = 0
            if reason != "not_for_me":
                known.state = "skipped"
                self.skips += 1

    @rule(lease=leases)
    def release(self, lease: tuple[str, str, str]) -> None:
        query_id, token, who = lease
        known = self.queries[query_id]
        held = self._holds(known, token)
        got = self.people[who]("POST", f"/v1/queries/{query_id}:release", {"lease_token": token})
        again = known.state == "open" and known.token == token and known.until == 0
        assert got.status_code == (204 if held or again else 410)
        if held:
            known.until = 0

    @rule(lease=leases, beats=st.integers(1, 40))
    def heartbeats(self, lease: tuple[str, str, str], beats: int) -> None:
        query_id, token, who = lease
        known = self.queries[query_id]
        for beat in range(beats):
            if beat > 0:
                self.clock.pass_seconds(LEASE_SECONDS * 0.8)
            held = self._holds(known, token)
            got = self.people[who]("POST", f"/v1/queries/{query_id}:heartbeat", {"lease_token": token})
            assert got.status_code == (200 if held else 410)
            if not held:
                return
            known.until = min(self.clock.now() + LEASE_SECONDS * SECOND, known.last)

    @rule(seconds=st.sampled_from([1, LEASE_SECONDS // 2, LEASE_SECONDS + 1]))
    def time_passes(self, seconds: int) -> None:
        self.clock.pass_seconds(seconds)

    @rule(target=labels, sample=samples, label=st.sampled_from(["a", "b"]))
    def late_truth(self, sample: str, label: str) -> Any:
        body = {"sample_id": sample, "label": label}
        got = self.people["admin"]("POST", f"/v1/streams/{self.name}/labels", body)
        before = [(given, found) for given, found in self.standing.items() if found[0] == sample]
        if before:
            [(label_id, (_, said, _query))] = before
            assert got.status_code == (200 if said == label else 409)
            if said == label:
                assert got.json()["label_id"] == label_id
            return multiple()
        known = self.queries[self.by_sample[sample]]
        if known.state == "open":
            known.state, known.until = "withdrawn", 0
        return self._learned(got.json(), sample, label, None)

    @rule(label_id=labels, who=st.sampled_from([*WHO, "admin"]))
    def undo(self, label_id: str, who: str) -> None:
        query = self.standing[label_id][2] if label_id in self.standing else None
        own = who == "admin" or self._said_by(label_id) == who
        got = self.people[who]("DELETE", f"/v1/labels/{label_id}")
        if not own:
            assert got.status_code == 403
            return
        assert got.status_code == 200
        if label_id not in self.standing:
            assert got.json()["query"] is None  # taken back before; nothing happens twice
            return
        del self.standing[label_id]
        self.log.append("retraction")
        assert got.json()["seq"] == len(self.log)
        if query is None:
            return
        known = self.queries[query]
        leased = got.json()["query"]
        assert leased["id"] == query
        known.state, known.label = "open", None
        known.leased(leased["lease"]["token"], who, self.clock.now())

    @precondition(lambda self: self.queries)
    @invariant()
    def figures_agree(self) -> None:
        now = self.clock.now()
        states = [known.state for known in self.queries.values()]
        leased = sum(known.state == "open" and known.until > now for known in self.queries.values())
        stats = self.people["admin"]("GET", f"/v1/streams/{self.name}/stats").json()
        found = stats["queries"]
        assert found["asked"] == len(self.queries)
        assert found["leased"] == leased
        assert found["open"] == states.count("open") - leased
        assert found["answered"] == states.count("answered")
        assert found["skipped"] == self.skips == states.count("skipped")
        assert stats["samples"] == len(self.by_sample)
        assert stats["labels"] == len(self.standing)
        assert stats["log_seq"] == len(self.log)

    @invariant()
    def the_log_has_no_gap_and_late_answers_are_kept_but_not_learned(self) -> None:
        stream = self._stream_id()
        if stream is None:
            return
        entries = self.parts.db.read_now(lambda c: log.entries(c, stream, 0, 10_000))
        assert [entry.seq for entry in entries] == list(range(1, len(self.log) + 1))
        assert [entry.kind for entry in entries] == self.log
        assert self._late_answers() - self.late_before == len(self.late)

    def teardown(self) -> None:
        if self._stream_id() is None:
            return
        items = self.people["admin"]("GET", f"/v1/streams/{self.name}/labels?limit=1000").json()["items"]
        standing = {item["label_id"]: (item["sample_id"], item["label"]) for item in items if not item["retracted"]}
        assert standing == {given: found[:2] for given, found in self.standing.items()}
        stats = eventually(
            lambda: self.people["admin"]("GET", f"/v1/streams/{self.name}/stats").json(),
            lambda s: s["model_version"] == s["log_seq"],
        )
        learned = stats["health"]["classes"]
        said = [found[1] for found in self.standing.values()]
        assert {name: count for name, count in learned.items() if count} == {
            name: said.count(name) for name in set(said)
        }
        self.people["admin"]("DELETE", f"/v1/streams/{self.name}")

    def _holds(self, known: Known, token: str) -> bool:
        return known.state == "open" and known.token == token and known.until > self.clock.now()

    def _learned(self, told: dict[str, Any], sample: str, label: str, query: str | None) -> str:
        self.log.append("label")
        assert told["seq"] == len(self.log)
        self.standing[told["label_id"]] = (sample, label, query)
        return str(told["label_id"])

    def _said_by(self, label_id: str) -> str:
        row = self.parts.db.read_now(lambda c: log.label(c, label_id))
        assert row is not None
        return str(row.by)

    def _late_answers(self) -> int:
        return len(self.parts.db.read_now(lambda c: c.execute(late_answers.select()).all()))

    def _stream_id(self) -> int | None:
        found = self.parts.db.read_now(lambda c: stream_rows.by_name(c, self.name))
        return None if found is None else found.id


@pytest.fixture
def everything(tmp_path: Path) -> Iterator[None]:
    clock = ManualClock()
    settings_of_service = Settings(data_dir=tmp_path, lease_seconds=LEASE_SECONDS, poll_seconds=0.05)
    with running(settings_of_service, clock=clock) as service:
        QueryLife.parts, QueryLife.clock = service.parts, clock
        QueryLife.people = {name: signed_in(service, name) for name in (*WHO, "admin")}
        yield


@pytest.mark.usefixtures("everything")
def test_whatever_people_do_a_query_is_held_by_one_and_answered_once() -> None:
    run_state_machine_as_test(
        QueryLife,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
