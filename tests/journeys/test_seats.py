"""Killed between the seats of one sample, and started again: what was said stands, and is learned once."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.clock import SystemClock
from service.core import access
from service.core.access import Role
from service.storage.session import Database
from tests.conftest import eventually
from tests.journeys.conftest import Process, engram
from tests.service.core.labels.crew import Person

CREW = 5
BODY = {
    "name": "s",
    "input": {"kind": "vector", "dim": 2},
    "classes": ["a", "b", "c"],
    "learner": {"seed": 7, "hidden": [8]},
    "query": {"warmup_labels": 1000, "overlap": 3, "consensus": "majority"},
}

Said = tuple[int, dict[str, Any], str, str]
"""Who answered which leased query with which label, under which key."""


@contextmanager
def served(folder: Path, url: str) -> Iterator[Process]:
    with engram(folder, "serve", "--port", "0", ENGRAM_DATABASE_URL=url) as process:
        yield process


def people(process: Process, url: str) -> list[Person]:
    """Give several people tokens, and make the stream."""
    process.client.post("/v1/streams", json=BODY).raise_for_status()
    db = Database(url)
    try:
        made = [db.write_now(lambda c: access.create(c, SystemClock(), Role.ANNOTATOR)) for _ in range(CREW)]
    finally:
        db.close()
    return [Person(process.client, "s", {"Authorization": f"Bearer {text}"}, who.id) for who, text in made]


def moved(crew: Sequence[Person], process: Process) -> list[Person]:
    """Return the same people, who work on the process that came after."""
    return [replace(one, client=process.client) for one in crew]


def answer(crew: Sequence[Person], who: int, label: str) -> tuple[Said, httpx.Response]:
    [query] = crew[who].lease()
    said = (who, query, label, f"key of {who}")
    return said, say(crew, said, key=True)


def say(crew: Sequence[Person], said: Said, *, key: bool) -> httpx.Response:
    who, query, label, name = said
    got = crew[who].say(query, label, name if key else None)
    assert got.status_code == 200, got.text
    return got


def figures(client: httpx.Client) -> dict[str, Any]:
    """Return the counts once all that was said is learned."""
    look = lambda: client.get("/v1/streams/s/stats").raise_for_status().json()  # noqa: E731
    stats = eventually(look, lambda s: s["model_version"] == s["log_seq"])
    queries = {name: stats["queries"][name] for name in ("asked", "open", "leased", "answered", "withdrawn")}
    learned = {name: count for name, count in stats["health"]["classes"].items() if count}
    reports = client.get("/v1/streams/s/annotators").raise_for_status().json()["items"]
    people = {one["id"]: one["answers"] for one in reports}
    return {"queries": queries, "labels": stats["labels"], "log": stats["log_seq"], "learned": learned} | people


@pytest.mark.parametrize("before", [["a"], ["a", "b"]], ids=["one answer", "two answers"])
def test_killed_between_two_seats_the_answers_stand_and_the_others_complete_them(
    tmp_path: Path, database_url: str, before: list[str]
) -> None:
    given: list[tuple[Said, httpx.Response]] = []
    with served(tmp_path, database_url) as process:
        crew = people(process, database_url)
        process.client.post("/v1/streams/s/samples", json={"id": "x", "data": [1, 2]}).raise_for_status()
        given += [answer(crew, who, label) for who, label in enumerate(before)]
        [held] = crew[4].lease()
        assert process.end(signal.SIGKILL) == -signal.SIGKILL
    counted = {crew[who].id: 1 for who in range(len(before))}
    seats = {"asked": 3, "answered": len(before), "leased": 1, "open": 2 - len(before), "withdrawn": 0}

    with served(tmp_path, database_url) as process:
        crew = moved(crew, process)
        pending = {"queries": seats, "labels": 0, "log": 0, "learned": {}, **counted}
        assert figures(process.client) == pending
        for said, told in given:
            assert say(crew, said, key=True).content == told.content
            assert say(crew, said, key=False).json() == told.json()
            assert crew[said[0]].lease() == []
        assert figures(process.client) == pending
        if len(before) == 2:
            assert crew[2].lease() == []  # the third seat is held, since before the kill
        last = (4, held, "a", "key of 4")
        given.append((last, say(crew, last, key=True)))
        if len(before) == 2:
            seats = {"asked": 3, "answered": 3, "leased": 0, "open": 0, "withdrawn": 0}
        else:
            seats = {"asked": 3, "answered": 2, "leased": 0, "open": 0, "withdrawn": 1}
        label_id = given[-1][1].json()["label_id"]
        assert given[-1][1].json() == {"label_id": label_id, "seq": 1}
        assert process.end(signal.SIGKILL) == -signal.SIGKILL

    counted[crew[4].id] = 1
    agreed = {"queries": seats, "labels": 1, "log": 1, "learned": {"a": 1}, **counted}
    with served(tmp_path, database_url) as process:
        crew = moved(crew, process)
        for said, told in given:
            assert say(crew, said, key=True).content == told.content
            assert say(crew, said, key=False).json()["label_id"] in (None, label_id)
        assert [one.lease() for one in crew] == [[]] * CREW
        assert figures(process.client) == agreed
        [label] = process.client.get("/v1/streams/s/labels").raise_for_status().json()["items"]
        assert (label["label_id"], label["label"], label["answers"]) == (label_id, "a", len(given))
        assert (label["by"], label["retracted"]) == (f"consensus of {len(given)}", False)


def test_what_others_may_still_answer_is_leased_to_them_and_not_to_who_answered(
    tmp_path: Path, database_url: str
) -> None:
    with served(tmp_path, database_url) as process:
        crew = people(process, database_url)
        for n in range(3):
            process.client.post("/v1/streams/s/samples", json={"id": f"x{n}", "data": [n, 2]}).raise_for_status()
        for query in crew[0].lease():
            crew[0].say(query, "b").raise_for_status()
        [first, *_rest] = crew[1].lease()
        crew[1].say(first, "c").raise_for_status()
        assert process.end(signal.SIGKILL) == -signal.SIGKILL

    with served(tmp_path, database_url) as process:
        crew = moved(crew, process)
        assert crew[0].lease() == []
        assert crew[1].lease() == []  # one answered, and the others held
        mine = crew[2].lease()
        assert {query["sample_id"] for query in mine} == {"x0", "x1", "x2"}
        assert len({query["id"] for query in mine}) == 3
        for query in mine:
            crew[2].say(query, "b").raise_for_status()
        found = figures(process.client)
        assert (found["labels"], found["log"], found["learned"]) == (3, 3, {"b": 3})
        items = process.client.get("/v1/streams/s/labels").raise_for_status().json()["items"]
        assert sorted(item["answers"] for item in items) == [2, 2, 3]
        assert [one.lease() for one in crew] == [[]] * CREW
