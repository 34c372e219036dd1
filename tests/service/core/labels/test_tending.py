"""The worker's care of a queue: every open query is ranked by the newest model, and none stays that nobody needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from learner import Prediction
from learner.asking.policy import Standing
from service.core import streams
from service.core.inputs import from_bytes
from service.core.labels import labeling, leasing
from service.core.labels.tending import QUIET_SECONDS, Tending
from service.core.samples import ingestion
from service.core.samples.ingestion import SampleIn
from service.core.specs import QuerySpec, as_input
from service.storage import streams as stream_rows
from service.storage.tables import AnyRow, events, queries, samples
from tests.conftest import eventually
from tests.service.core.by_hand import History, history, never, run

WEEK = 7 * 24 * 3600


def asked(past: History, count: int) -> None:
    """Post samples, all of which are asked; every second one because the model was unsure."""
    sent: list[Any] = [SampleIn(None, [n % 7 - 3, n % 5 - 2], None, None) for n in range(count)]
    run(ingestion.ingest(past.parts, past.name, sent, past.who, None))
    unsure = queries.update().where(queries.c.sample_n % 2 == 0).values(reason="uncertain", propensity=0.5)
    past.parts.db.write_now(lambda c: c.execute(unsure))
    decided = samples.update().where(samples.c.n % 2 == 0).values(threshold=0.5)
    past.parts.db.write_now(lambda c: c.execute(decided))


def stands(past: History, **more: Any) -> Standing:
    """Change where spending stands, where that is asked for; return it."""

    def work(connection: Connection) -> Standing:
        ledger = stream_rows.ledger(connection, past.stream.id)
        standing = Standing.from_json(ledger.standing or {})._replace(**more)
        stream_rows.spend(connection, past.stream.id, turn=ledger.turn, standing=standing.to_json())
        return standing

    return past.parts.db.write_now(work)


def leased(past: History, limit: int) -> list[dict[str, Any]]:
    return run(leasing.lease(past.parts, past.who, past.name, limit, 0, never))


def tended(past: History, tending: Tending) -> None:
    """Do all there is to do."""
    for _ in range(1000):
        if tending.step(past.stream) is None:
            return
        past.clock.pass_seconds(QUIET_SECONDS)
    raise AssertionError("it never ends")


def rows(past: History) -> list[AnyRow]:
    chosen = sa.select(queries, samples.c.features).join(samples, samples.c.n == queries.c.sample_n)
    return list(past.parts.db.read_now(lambda c: c.execute(chosen.order_by(queries.c.sample_n)).all()))


def still_open(past: History) -> list[AnyRow]:
    return [row for row in rows(past) if row.state == "open"]


def counts_agree(past: History) -> Counter[str]:
    """Check the ledger's counts against the queries, and return how many are in each state."""
    found = Counter(row.state for row in rows(past))
    ledger = past.parts.db.read_now(lambda c: stream_rows.ledger(c, past.stream.id))
    states = ("open", "answered", "skipped", "withdrawn", "expired")
    assert {state: getattr(ledger, state) for state in states} == {state: found[state] for state in states}
    assert ledger.asked == found.total()
    return found


def change(past: History, **policy: Any) -> None:
    run(streams.change(past.parts, past.name, query=policy, add_classes=[]))
    past.entries.append(("policy", 0, "", None))


def valued(past: History) -> Callable[[Prediction], float]:
    """How decisions of this moment value a sample."""
    policy, standing = QuerySpec(**past.stream.query).policy(), stands(past)
    return lambda said: policy.utility(said, standing.predicted)


def test_after_an_update_every_open_query_has_the_utility_of_the_new_model(past: History) -> None:
    asked(past, 150)
    tending = Tending(past.parts)
    for n in range(4):
        past.label((n - 2, n % 2), "ab"[n % 2])
        past.catch_up()
        tended(past, tending)
        scorer, spec = past.parts.models.scorer(past.stream), as_input(past.stream.input)
        utility = valued(past)
        waiting = still_open(past)
        assert len(waiting) >= 75  # those that were not asked for uncertainty stay
        for row in waiting:
            said = scorer.predict(from_bytes(row.features, spec))
            assert said is not None
            assert (row.utility, row.ranked_at) == (utility(said), scorer.seq)


def test_whoever_leases_leaves_the_utilities_found_for_whoever_comes_next(past: History) -> None:
    asked(past, 30)
    past.label((1, 1), "a")
    past.label((-1, -1), "b")
    past.catch_up()
    scorer, spec = past.parts.models.scorer(past.stream), as_input(past.stream.input)
    stands(past, predicted={"a": 20, "b": 780})
    utility = valued(past)
    assert {row.ranked_at for row in rows(past)} != {scorer.seq}
    first, *_ = leased(past, 1)
    # Soon, and not before the lease is answered.
    stored = eventually(lambda: rows(past), lambda found: {row.ranked_at for row in found} == {scorer.seq})
    for row in stored:
        said = scorer.predict(from_bytes(row.features, spec))
        assert said is not None
        assert (row.utility, row.ranked_at) == (utility(said), scorer.seq)
        assert row.id != first["id"] or row.utility == max(one.utility for one in stored)


def test_what_is_surely_of_a_class_that_hardly_comes_is_not_withdrawn(past: History) -> None:
    """Though no vote doubts it: the same utility decides on a sample and keeps its query."""
    asked(past, 150)
    change(past, rarity=1.0)
    for n in range(24):
        past.label((3 - 6 * (n % 2), 2 - 4 * (n % 2)), "ab"[n % 2])
    past.catch_up()
    stands(past, predicted={"a": 4, "b": 396}, threshold=0.8)
    scorer, spec, utility = past.parts.models.scorer(past.stream), as_input(past.stream.input), valued(past)
    tended(past, Tending(past.parts))
    said = {row.id: scorer.predict(from_bytes(row.features, spec)) for row in rows(past) if row.reason == "uncertain"}
    values = {query_id: utility(one) for query_id, one in said.items() if one is not None}
    kept = {row.id for row in still_open(past) if row.reason == "uncertain"}
    assert kept == {query_id for query_id, value in values.items() if value >= 0.25 * 0.8}
    sure = {query_id: one.label for query_id, one in said.items() if one is not None and one.variation_ratio == 0.0}
    assert {sure[query_id] for query_id in kept & sure.keys()} == {"a"}
    assert {sure[query_id] for query_id in sure.keys() - kept} >= {"b"}


def test_an_update_ranks_no_more_than_the_setting_says_and_everybody_has_a_turn(tmp_path: Path) -> None:
    with history(tmp_path, ranked_per_update=64) as past:
        asked(past, 300)
        tending = Tending(past.parts)
        for n in range(1, 13):
            past.label((n % 7 - 3, -n % 5), "ab"[n % 2])
            past.catch_up()
            while (rest := tending.step(past.stream)) is not None:
                past.clock.pass_seconds(rest)  # no longer: once it is quiet the top is ranked, again and again
            assert 0 < Counter(row.ranked_at for row in rows(past))[n] <= 64
        assert min(row.ranked_at for row in still_open(past)) > 0
        assert len(still_open(past)) >= 150


def test_the_way_down_goes_on_after_an_update_and_begins_at_the_top_once_nothing_is_learned(past: History) -> None:
    asked(past, 600)
    tending = Tending(past.parts)

    def ranked(*, pause: bool = False) -> list[int]:
        """Learn, rank one batch, and one more after a pause; return how many of each third, the best first."""
        places = [row.id for row in sorted(still_open(past), key=lambda row: (-row.utility, row.id))]
        past.label((1, -1), "ab"[past.parts.models.state(past.stream).seq % 2])
        past.catch_up()
        newest = past.parts.models.state(past.stream).seq
        while newest not in {row.ranked_at for row in rows(past)}:
            tending.step(past.stream)
        if pause:
            past.clock.pass_seconds(QUIET_SECONDS)
            tending.step(past.stream)
        found = {row.id for row in rows(past) if row.ranked_at == newest}
        third = len(places) // 3
        return [sum(place in found for place in places[n * third : (n + 1) * third]) for n in range(3)]

    change(past, withdraw_below=0.0)
    assert ranked() == [128, 0, 0]
    assert ranked()[0] < 128  # it went on in the middle
    assert sum(ranked()[1:]) > 64
    assert ranked(pause=True)[0] == 200


def test_on_one_way_down_no_query_is_looked_at_twice_though_it_sinks(past: History) -> None:
    asked(past, 600)
    change(past, withdraw_below=0.0)
    tending, looks = Tending(past.parts), Counter[str]()
    for n in range(30):
        past.label((n % 7 - 3, -n % 5), "ab"[n % 2])
        past.catch_up()
        before = {row.id: row.ranked_at for row in still_open(past)}
        newest = past.parts.models.state(past.stream).seq
        for _ in range(2):
            tending.step(past.stream)
        looks.update(row.id for row in still_open(past) if row.ranked_at == newest > before[row.id])
        noted = past.parts.db.read_now(lambda c: stream_rows.by_id(c, past.stream.id))
        assert noted is not None
        if noted.ranked_seq:
            break
    assert noted.ranked_seq > 0
    assert len(looks) == 600
    assert looks.total() < 600 + 256  # the batch that ended the way, and what the next has begun with


def test_what_is_noted_as_ranked_is_never_newer_than_any_open_query(past: History) -> None:
    asked(past, 300)
    tending = Tending(past.parts)
    seen = set()
    for n in range(12):
        past.label((n % 7 - 3, -n % 5), "ab"[n % 2])
        past.catch_up()
        for _ in range(n % 5):
            tending.step(past.stream)
            noted = past.parts.db.read_now(lambda c: stream_rows.by_id(c, past.stream.id))
            assert noted is not None
            assert noted.ranked_seq <= min(row.ranked_at for row in still_open(past))
            seen.add(noted.ranked_seq)
    assert len(seen) > 2
    tended(past, tending)
    noted = past.parts.db.read_now(lambda c: stream_rows.by_id(c, past.stream.id))
    assert noted is not None
    assert noted.ranked_seq == past.parts.models.state(past.stream).seq


def test_what_the_model_is_sure_of_is_withdrawn_unless_it_was_asked_at_random_or_is_held(past: History) -> None:
    asked(past, 40)
    change(past, withdraw_below=1.0)
    free = stands(past, threshold=1.0, spent=20).free
    held = {query["id"] for query in leased(past, 6)}
    past.label((1, 1), "a")
    past.catch_up()
    tended(past, Tending(past.parts))
    for row in rows(past):
        sure = row.reason == "uncertain" and row.id not in held
        assert row.state == ("withdrawn" if sure else "open")
    gone = counts_agree(past)["withdrawn"]
    assert gone >= 14
    assert (stands(past).spent, stands(past).free) == (20 - gone, free)
    told = past.parts.db.read_now(lambda c: c.execute(sa.select(events.c.data).where(events.c.type == "query")).all())
    assert sum(row.data.get("withdrawn") == "sure" for row in told) == gone


def test_what_whoever_leased_found_sure_is_withdrawn_none_the_less(past: History) -> None:
    asked(past, 40)
    change(past, withdraw_below=1.0)
    stands(past, threshold=1.0, spent=20)
    past.label((1, 1), "a")
    past.catch_up()
    held = {query["id"] for query in leased(past, 1)}
    tended(past, Tending(past.parts))
    for row in rows(past):
        sure = row.reason == "uncertain" and row.id not in held
        assert row.state == ("withdrawn" if sure else "open")


def test_with_the_setting_off_nothing_is_withdrawn(past: History) -> None:
    asked(past, 20)
    change(past, withdraw_below=0.0)
    stands(past, threshold=1.0)
    past.label((1, 1), "a")
    past.catch_up()
    tended(past, Tending(past.parts))
    assert counts_agree(past)["withdrawn"] == 0


@pytest.mark.parametrize("seconds", [100.0, 0.0])
def test_what_nobody_answers_expires_by_age_unless_somebody_holds_it(past: History, seconds: float) -> None:
    asked(past, 150)
    change(past, expire_after_seconds=seconds)
    past.catch_up()
    tending = Tending(past.parts)
    past.clock.pass_seconds(90)
    tended(past, tending)
    assert counts_agree(past)["expired"] == 0
    held = {query["id"] for query in leased(past, 5)}
    past.clock.pass_seconds(20)
    tended(past, tending)
    found = counts_agree(past)
    assert found["expired"] == (145 if seconds else 0)
    assert found["open"] == (5 if seconds else 150)
    past.clock.pass_seconds(WEEK)  # the leases are over
    tended(past, tending)
    assert counts_agree(past)["expired"] == (150 if seconds else 0)
    assert not held or all(row.lease_until == 0 for row in rows(past) if row.state == "expired")


def test_a_truth_that_comes_late_withdraws_and_gives_back(past: History) -> None:
    asked(past, 2)
    stands(past, spent=1, free=1)
    ids = past.parts.db.read_now(lambda c: c.execute(sa.select(samples.c.id)).scalars().all())
    for sample_id in ids:
        run(labeling.learn_late(past.parts, past.who, past.name, sample_id, "a", None))
    assert counts_agree(past) == {"withdrawn": 2}
    assert (stands(past).spent, stands(past).free) == (0, 0)
