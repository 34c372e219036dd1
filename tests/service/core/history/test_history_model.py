"""Whatever happens to a stream, its state is the fold of the entries that count; a model of ten lines says which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from learner.snapshot import state_hash
from service.core.access import Principal
from service.core.models.training import restore
from service.core.parts import Parts
from tests.service.core.by_hand import History, begin, history

VALUES = st.tuples(st.integers(-3, 3), st.integers(-3, 3))


class Histories(RuleBasedStateMachine):
    """Labels, corrects, takes back, adds classes, rolls back, learns a little, stores, crashes."""

    parts: Parts
    who: Principal
    number = 0

    @initialize()
    def stream(self) -> None:
        Histories.number += 1
        self.at = begin(self.parts, self.who, f"m{Histories.number}")

    def _standing(self) -> list[Any]:
        return [row for row in self.at.rows() if row.retracted_at is None]

    @rule(x=VALUES, label=st.sampled_from(["a", "b", "new"]))
    def label(self, x: tuple[int, int], label: str) -> None:
        self.at.label(x, label)

    @rule(x=VALUES, label=st.sampled_from(["a", "b"]))
    def answer(self, x: tuple[int, int], label: str) -> None:
        if not any(row.query_id for row in self.at.rows() if row.retracted_at is not None):
            self.at.ask_and_answer(x, label)

    @rule(name=st.sampled_from(["c", "d"]))
    def add_class(self, name: str) -> None:
        if name not in self.at.stream.classes:
            self.at.add_class(name)

    @rule(data=st.data(), label=st.sampled_from(["a", "b", "other"]))
    def correct(self, data: st.DataObject, label: str) -> None:
        rows = [row for row in self._standing() if row.label != label]
        if rows:
            self.at.correct(data.draw(st.sampled_from(rows)).id, label)

    @rule(data=st.data())
    def retract(self, data: st.DataObject) -> None:
        rows = self._standing()
        if rows:
            self.at.retract(data.draw(st.sampled_from(rows)).id)

    @precondition(lambda self: self.at.entries)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        self.at.roll_back(data.draw(st.integers(0, len(self.at.entries))))

    @rule(steps=st.integers(1, 3))
    def learn(self, steps: int) -> None:
        for _ in range(steps):
            self.at.trainer.advance()

    @rule()
    def store(self) -> None:
        self.at.trainer.snapshot()

    @rule()
    def crash(self) -> None:
        self.at.restart()

    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        until = data.draw(st.integers(0, len(self.at.entries)))
        then = self.parts.db.read_now(lambda c: restore(c, self.at.stream, "cpu", until=until))
        assert state_hash(then) == state_hash(self.at.expected(until))

    @invariant()
    def labels_and_ledger_say_what_the_log_says(self) -> None:
        if not hasattr(self, "at"):
            return
        standing, stream = self._standing(), self.at.stream
        assert stream.log_seq == len(self.at.entries)
        ledger = self.parts.db.read_now(lambda c: stream_ledger(c, stream.id))
        assert ledger.labels == len(standing)
        assert ledger.answered == sum(row.query_id is not None for row in standing)
        assert ledger.open == ledger.asked - ledger.answered
        # Only a class that stands is known to the stream.
        assert set(stream.classes) >= {row.label for row in standing} | {"a", "b"}

    def teardown(self) -> None:
        if not hasattr(self, "at"):
            return
        self.at.agrees()
        assert set(self.at.trainer._state.classes) == set(self.at.stream.classes)
        self.at.trainer.snapshot()
        report = self.at.verified()
        assert report.failures == ()
        self.at.restart()
        self.at.agrees()


def stream_ledger(connection: Any, stream_id: int) -> Any:
    from service.storage import streams  # noqa: PLC0415

    return streams.ledger(connection, stream_id)


@pytest.fixture
def machine(database_url: str, tmp_path: Path) -> Iterator[History]:
    with history(tmp_path / "h", database_url, snapshot_every=3, snapshots_kept=2) as found:
        Histories.parts, Histories.who = found.parts, found.who
        yield found


@pytest.mark.usefixtures("machine")
def test_any_history_gives_the_state_that_its_surviving_entries_give() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
