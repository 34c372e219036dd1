"""What is at hand for whoever leases next: the best by the newest model, ranked before anybody asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.core import access, heads, streams
from service.core.access import Principal, Role
from service.core.inputs import from_bytes
from service.core.labels import answering, choosing, leasing
from service.core.labels.tending import Tending
from service.core.specs import as_input
from service.storage.tables import skips
from tests.service.core.by_hand import History, begin, history, never, run
from tests.service.core.labels.test_tending import asked, change, still_open, valued


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    """Return a stream with 300 open queries and a model that doubts, on which no head grows old."""
    monkeypatch.setattr(heads, "monotonic", lambda: 1.0)
    with history(tmp_path) as made:
        change(made, withdraw_below=0.0)
        asked(made, 300)
        for n in range(6):
            made.label((n - 3, n % 3 - 1), "ab"[n % 2])
        made.catch_up()
        yield made


def person(past: History) -> Principal:
    return past.parts.db.write_now(lambda c: access.create(c, past.clock, Role.ANNOTATOR))[0]


def lease(past: History, who: Principal, limit: int = 1) -> list[dict[str, Any]]:
    return run(leasing.lease(past.parts, who, past.name, limit, 0, never))


def answer(past: History, who: Principal, query: dict[str, Any], label: str) -> None:
    run(answering.answer(past.parts, who, query["id"], query["lease"]["token"], label, None, None))


def tend(past: History, tending: Tending) -> None:
    """Learn what there is and let the worker do the first thing it does after it."""
    past.catch_up()
    tending.step(past.stream)


def best_of(past: History) -> dict[str, float]:
    """Return the utility of every query that is open and free, by the newest model."""
    scorer, spec, utility = past.parts.models.scorer(past.stream), as_input(past.stream.input), valued(past)
    free = [row for row in still_open(past) if row.lease_until <= past.clock.now()]
    said = {row.id: scorer.predict(from_bytes(row.features, spec)) for row in free}
    return {query_id: utility(one) for query_id, one in said.items() if one is not None}


def test_after_an_update_the_next_gets_the_best_by_the_new_model_without_a_look_of_their_own(
    past: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben, tending = person(past), person(past), Tending(past.parts)
    tend(past, tending)
    assert choosing.at_hand(past.parts, ada, past.name) is None  # nobody works yet
    [first] = lease(past, ada)
    answer(past, ada, first, "a")
    tend(past, tending)
    known = choosing.at_hand(past.parts, ben, past.name)
    assert known is not None
    assert known.version == past.parts.models.state(past.stream).seq
    values = best_of(past)
    assert len(known.best) == 32
    assert [values[row.id] for row in known.best] == sorted((values[row.id] for row in known.best), reverse=True)

    def looked(*_arguments: Any) -> choosing.Ranked:
        raise AssertionError

    monkeypatch.setattr(choosing, "ranked", looked)
    [[mine], [theirs]] = lease(past, ada), lease(past, person(past))
    assert [mine["id"], theirs["id"]] == [row.id for row in known.best[:2]]


def test_whoever_leases_again_by_the_same_model_looks_further_down(past: History) -> None:
    ada, tending = person(past), Tending(past.parts)
    lease(past, ada)
    past.label((1, 1), "a")
    tend(past, tending)
    known = choosing.at_hand(past.parts, ada, past.name)
    assert known is not None
    assert choosing.at_hand(past.parts, ada, past.name) is None
    further = choosing.ranked(past.parts, ada, past.name, 1)
    # All that comes from further down, and of the top what has risen once the new utilities are stored.
    assert len({row.id for row in further.best} - {row.id for row in known.best}) >= 24
    assert choosing.at_hand(past.parts, person(past), past.name) is not None


def test_what_comes_free_or_is_asked_anew_is_not_missed_and_an_answer_frees_nothing(past: History) -> None:
    ada, tending = person(past), Tending(past.parts)

    def prepared() -> list[dict[str, Any]]:
        found = lease(past, ada)
        past.label((1, 1), "a")
        tend(past, tending)
        assert choosing.at_hand(past.parts, person(past), past.name) is not None
        return found

    [query] = prepared()
    answer(past, ada, query, "a")
    assert choosing.at_hand(past.parts, person(past), past.name) is not None
    [query] = prepared()
    run(answering.skip(past.parts, ada, query["id"], query["lease"]["token"], "not_for_me", None))
    assert choosing.at_hand(past.parts, person(past), past.name) is None
    [query] = prepared()
    run(leasing.release(past.parts, query["id"], query["lease"]["token"]))
    assert choosing.at_hand(past.parts, person(past), past.name) is None
    prepared()
    past.post((0.1, 0.2))
    assert choosing.at_hand(past.parts, person(past), past.name) is None


def test_who_may_have_nothing_of_what_is_at_hand_gets_the_best_of_the_rest(past: History) -> None:
    ada, tending = person(past), Tending(past.parts)
    lease(past, person(past))
    past.label((1, 1), "a")
    tend(past, tending)
    known = choosing.at_hand(past.parts, person(past), past.name)
    assert known is not None
    at_hand = [row.id for row in known.best]
    skipped = [{"query_id": query_id, "by": ada.id, "reason": "not_for_me", "at": 1} for query_id in at_hand]
    past.parts.db.write_now(lambda c: c.execute(sa.insert(skips), skipped))
    [found] = lease(past, ada)
    assert found["id"] not in at_hand
    values = best_of(past)
    offered = {row.id for row in choosing.ranked(past.parts, ada, past.name, 1).best}
    assert values.get(found["id"], 1.0) >= max(values[query_id] for query_id in offered)


def test_a_stream_that_took_the_name_of_another_gives_its_own_queries(past: History) -> None:
    lease(past, person(past))
    past.label((1, 1), "a")
    tend(past, Tending(past.parts))
    known = choosing.at_hand(past.parts, person(past), past.name)
    run(streams.remove(past.parts, past.name))
    assert choosing.at_hand(past.parts, person(past), past.name) is None
    other = begin(past.parts, past.who, past.name)
    asked(other, 3)
    assert known is not None
    ids = {row.id for row in still_open(other)}

    def kept(*_arguments: Any) -> choosing.Ranked | None:
        return known

    with pytest.MonkeyPatch.context() as patched:  # another process may not have heard of it yet
        patched.setattr(choosing, "at_hand", kept)
        [found] = lease(other, person(other))
    assert found["id"] in ids
