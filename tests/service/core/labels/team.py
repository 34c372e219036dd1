"""Several people without a server, who work on a stream that asks more than one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from service.core import access
from service.core.access import Principal, Role
from service.core.labels import answering, leasing
from service.core.labels.tending import Tending
from service.core.samples import ingestion
from service.core.samples.ingestion import SampleIn
from service.core.specs import QuerySpec
from tests.service.core.by_hand import History, begin, never, run
from tests.service.core.labels.test_tending import tended


@dataclass
class Team:
    """People who work on a stream, and who tends its queue."""

    past: History
    people: list[Principal]
    tending: Tending

    def post(self, *points: Sequence[float]) -> list[dict[str, Any]]:
        """Post samples; return what each was answered."""
        sent: list[Any] = [SampleIn(None, list(x), None, None) for x in points]
        return list(run(ingestion.ingest(self.past.parts, self.past.name, sent, self.past.who, None)).body["results"])

    def lease(self, who: int, limit: int = 10) -> list[dict[str, Any]]:
        return run(leasing.lease(self.past.parts, self.people[who], self.past.name, limit, 0, never))

    def say(self, who: int, query: dict[str, Any], label: str) -> dict[str, Any]:
        token = query["lease"]["token"]
        said = run(answering.answer(self.past.parts, self.people[who], query["id"], token, label, None, None))
        return dict(said.body)

    def answer(self, who: int, label: str) -> dict[str, Any]:
        """Lease the only query there is for somebody, and answer it."""
        [query] = self.lease(who)
        return self.say(who, query, label)

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass, and the queue be tended."""
        self.past.clock.pass_seconds(seconds)
        tended(self.past, self.tending)

    def learned(self) -> list[tuple[str, str]]:
        return [(row.label, row.by) for row in self.past.rows() if row.retracted_at is None]


def team_of(past: History, name: str, count: int, query: QuerySpec) -> Team:
    """Make a stream beside that of `past`, and give several people tokens."""

    def work(connection: Connection) -> list[Principal]:
        return [access.create(connection, past.clock, Role.ANNOTATOR)[0] for _ in range(count)]

    other = begin(past.parts, past.who, name, query=query)
    return Team(other, past.parts.db.write_now(work), Tending(past.parts))
