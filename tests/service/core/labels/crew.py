"""Several people with tokens of their own, who work on one stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from service.core import access
from service.core.access import Role
from tests.conftest import Running

numbers = iter(range(10_000))


@dataclass
class Person:
    """Sends every request with one person's token."""

    client: httpx.Client
    stream: str
    headers: dict[str, str]
    id: str

    def __call__(self, method: str, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        headers = self.headers if key is None else self.headers | {"Idempotency-Key": key}
        return self.client.request(method, path, json=body, headers=headers)

    def lease(self, limit: int = 10) -> list[dict[str, Any]]:
        answer = self("POST", f"/v1/streams/{self.stream}/queries:lease", {"limit": limit})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["queries"])

    def say(self, query: dict[str, Any], label: str, key: str | None = None) -> httpx.Response:
        body = {"lease_token": query["lease"]["token"], "label": label, "duration_ms": 1000}
        return self("POST", f"/v1/queries/{query['id']}:answer", body, key)

    def answer(self, label: str) -> dict[str, Any]:
        """Lease one query and answer it."""
        [query] = self.lease(1)
        said = self.say(query, label)
        assert said.status_code == 200, said.text
        return dict(said.json()) | {"query": query["id"]}

    def skip(self, query: dict[str, Any], reason: str) -> None:
        body = {"lease_token": query["lease"]["token"], "reason": reason}
        assert self("POST", f"/v1/queries/{query['id']}:skip", body).status_code == 204


def person(service: Running, stream: str, role: Role = Role.ANNOTATOR) -> Person:
    parts = service.parts
    who, text = parts.db.write_now(lambda c: access.create(c, parts.clock, role))
    return Person(service.client, stream, {"Authorization": f"Bearer {text}"}, who.id)


@dataclass
class Crew:
    """A stream with overlap, and who works on it."""

    service: Running
    name: str
    people: list[Person]

    def post(self, value: float = 1.0) -> dict[str, Any]:
        return self.service.post([value, 0.0], self.name)

    def stats(self) -> dict[str, Any]:
        return self.service.stats(self.name)

    def labels(self) -> list[dict[str, Any]]:
        path = f"/v1/streams/{self.name}/labels?limit=1000"
        return list(self.service.client.get(path).raise_for_status().json()["items"])

    def counts(self) -> tuple[int, int, int]:
        found = self.stats()["queries"]
        return found["open"] + found["leased"], found["answered"], found["skipped"]


def crew(service: Running, count: int = 3, **query: Any) -> Crew:
    name = f"c{next(numbers)}"
    policy = {"warmup_labels": 1000, "overlap": 3, "consensus": "majority"} | query
    service.stream(name, classes=["a", "b", "c"], query=policy)
    return Crew(service, name, [person(service, name) for _ in range(count)])
