"""A simulation is the stream's own fold: predict, decide, learn, one sample after another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner import OnlineLearner, build
from learner.asking.policy import Demand, Policy, Standing, consider
from learner.asking.selection import Decision
from learner.noise import Purpose, uniform
from learner.simulation import Labelled, accuracy_on, outcome, replay
from learner.snapshot import state_hash

EVERY_LABEL = Policy(strategy="random", budget=1.0, exploration=1.0)


def made(seed: int = 3) -> OnlineLearner:
    return build({"kind": "vector", "dim": 2}, seed=seed, hidden=(4,), components=2)


def points(count: int, seed: int = 0) -> list[Labelled]:
    """Return points around two centres, near enough to be taken for each other."""
    draw = np.random.Generator(np.random.Philox(seed))
    sides = draw.integers(0, 2, count).tolist()
    return [((draw.normal(size=2) + 2 * side).astype(np.float32), "ab"[side]) for side in sides]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 50),
    budget=st.sampled_from([0.0, 0.02, 0.2, 1.0]),
    exploration=st.sampled_from([0.0, 0.1, 1.0]),
    warmup=st.integers(0, 12),
    classes=st.sampled_from([(), ("b", "a")]),
)
def test_scoring_ahead_changes_nothing(
    seed: int, budget: float, exploration: float, warmup: int, classes: tuple[str, ...]
) -> None:
    policy = Policy(budget=budget, exploration=exploration, warmup_labels=warmup)
    learner, samples = made(seed), points(90, seed)
    steps = list(replay(learner, policy, samples, seed=seed, classes=classes))
    state, standing = learner.start(classes), Standing()
    for count, ((x, label), step) in enumerate(zip(samples, steps, strict=True), 1):
        said = learner.scorer(state).predict(x)
        coin = float(uniform(seed, count, Purpose.ASK, 1)[0])
        expected: Decision
        expected, standing = consider(
            policy, standing, said, coin=coin, now=count * 1_000_000, demand=Demand(labels=state.seq)
        )
        assert (step.said, step.decision, step.standing) == (said, expected, standing)
        assert step.right == (said is not None and said.label == label)
        if expected.ask:
            state, _info = learner.learn(state, x, label, seq=state.seq + 1)
        assert step.state.seq == state.seq
    assert state_hash(steps[-1].state) == state_hash(state)


def test_nothing_is_drawn_from_the_source_before_it_is_due() -> None:
    drawn: list[int] = []

    def source() -> object:
        for number, sample in enumerate(points(400)):
            drawn.append(number)
            yield sample

    steps = replay(made(), EVERY_LABEL, source(), seed=1)  # type: ignore[arg-type]
    for _ in range(10):
        next(steps)
    assert len(drawn) == 10


def test_with_a_whole_budget_every_label_is_bought() -> None:
    steps = list(replay(made(), EVERY_LABEL, points(60), seed=1))
    assert all(step.decision.ask for step in steps)
    assert {step.decision.propensity for step in steps} == {1.0}
    assert steps[-1].state.seq == 60


def test_without_a_budget_only_the_warm_up_is_bought() -> None:
    steps = list(replay(made(), Policy(budget=0.0, warmup_labels=7), points(60), seed=1))
    assert [step.decision.ask for step in steps] == [True] * 7 + [False] * 53


def test_a_budget_in_time_is_that_of_the_pace() -> None:
    policy = Policy(budget=1.0, labels_per_hour=60.0, warmup_labels=0)
    fast, slow = (
        sum(step.decision.ask for step in replay(made(), policy, points(400), seed=1, interval=pace))
        for pace in (1_000_000, 60_000_000)
    )
    assert fast < 40 < slow


def test_an_outcome_counts_what_happened() -> None:
    learner, samples, tested = made(), points(205), points(30, seed=9)
    policy = Policy(budget=0.3, warmup_labels=10)
    steps = list(replay(learner, policy, samples, seed=2))
    told: list[int] = []
    found = outcome(steps, len(samples), learner, tested, looks=4, told=told.append)
    right = [step.right for step in steps if step.said is not None]
    assert found.samples == 205
    assert found.labels == steps[-1].state.seq == sum(step.decision.ask for step in steps)
    assert found.share == found.labels / 205
    assert found.arrival == pytest.approx(np.mean(right))
    assert found.recent == pytest.approx(np.mean([step.right for step in steps[-41:]]))
    assert [look.samples for look in found.curve] == [52, 103, 154, 205]
    assert [look.labels for look in found.curve] == [
        sum(step.decision.ask for step in steps[:count]) for count in (52, 103, 154, 205)
    ]
    assert found.held_out == accuracy_on(learner, steps[-1].state, tested)
    assert found.estimate is not None
    assert found.estimate.low < found.arrival < found.estimate.high
    assert sum(told) == 205
    assert len(told) > 50


def test_an_outcome_without_samples_held_out_says_so() -> None:
    learner = made()
    found = outcome(replay(learner, Policy(), points(20), seed=2), 20, learner)
    assert found.held_out is None
    assert len(found.curve) == 1


@pytest.mark.parametrize(("total", "looks"), [(0, 1), (5, 0)])
def test_numbers_out_of_range_are_refused(total: int, looks: int) -> None:
    with pytest.raises(ValueError, match="looks and total"):
        outcome([], total, made(), looks=looks)
