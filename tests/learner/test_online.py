from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from learner import LearnerState, OnlineLearner, build, snapshot
from learner.asking.policy import Demand, Policy, Standing
from learner.asking.strategies import STRATEGIES

KINDS = {
    "fused": build({"kind": "vector", "dim": 3}, seed=11, hidden=(24,), components=4),
    "alone": build({"kind": "vector", "dim": 3}, seed=11, hidden=(24,), rates=()),
    "stochastic": build({"kind": "vector", "dim": 3}, seed=11, hidden=(24,), components=4, gate="stochastic"),
    "sparse_code": build({"kind": "vector", "dim": 3}, seed=11, hidden=(6,), components=4, gate="sparse_code"),
    "fixed_point": build({"kind": "vector", "dim": 3}, seed=11, hidden=(24,), components=4, fixed_point=True),
}
logs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=25)


def sample(number: int) -> np.ndarray:
    return np.array([number % 3, number % 5, number % 7], np.float32)


def fold(learner: OnlineLearner, state: LearnerState, log: list[tuple[int, int]]) -> LearnerState:
    for label, number in log:
        state, _ = learner.learn(state, sample(number), f"class {label}", seq=state.seq + 1)
    return state


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(log=logs, cut=st.integers(0, 25))
def test_a_replay_from_any_snapshot_gives_the_same_bits(kind: str, log: list[tuple[int, int]], cut: int):
    learner = KINDS[kind]
    whole = fold(learner, learner.start(("class 0",)), log)
    half = snapshot.restore(snapshot.dump(fold(learner, learner.start(("class 0",)), log[:cut])))
    assert snapshot.state_hash(fold(learner, half, log[cut:])) == snapshot.state_hash(whole)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(log=logs)
def test_predicting_never_changes_the_state_and_never_depends_on_the_batch(kind: str, log: list[tuple[int, int]]):
    learner = KINDS[kind]
    state = fold(learner, learner.start(("class 0",)), log)
    before, scorer = snapshot.state_hash(state), learner.scorer(state)
    xs = [sample(number) for number in range(12)]  # the first few alone are scored by other kernels than the rest
    together = learner.scorer(state).predict_many(xs)
    assert together == [scorer.predict(x) for x in xs] == [learner.scorer(state).predict(x) for x in xs]
    assert snapshot.state_hash(state) == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_stays_in_its_ranges(kind: str):
    learner = KINDS[kind]
    state = fold(learner, learner.start(), [(n % 3, n) for n in range(40)])
    for number in range(20):
        said = learner.scorer(state).predict(sample(number))
        assert said is not None
        assert sum(said.probabilities.values()) == pytest.approx(1.0)
        assert 0.0 <= said.aleatoric <= said.predictive_entropy + 1e-9
        assert 0.0 <= said.variation_ratio <= 0.9
        assert np.isfinite(said.novelty)


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_named_up_front_and_one_added_later_learn_the_same(kind: str):
    learner = KINDS[kind]
    front = fold(learner, learner.start(("class 0", "class 1")), [(0, 1), (1, 2), (0, 3)])
    later = fold(learner, learner.add_class(learner.start(("class 0",)), "class 1", seq=0), [(0, 1), (1, 2), (0, 3)])
    assert snapshot.state_hash(front) == snapshot.state_hash(later)


def test_a_seq_is_learned_once():
    learner = KINDS["fused"]
    state = fold(learner, learner.start(), [(0, 1), (1, 1)])
    with pytest.raises(ValueError, match="above 2"):
        learner.learn(state, sample(1), "class 0", seq=2)


def test_with_no_class_known_nothing_is_said():
    assert KINDS["fused"].scorer(KINDS["fused"].start()).predict(sample(0)) is None


def test_deciding_is_pure_and_follows_the_strategy():
    learner = KINDS["fused"]
    said = learner.scorer(fold(learner, learner.start(), [(n % 2, n) for n in range(9)])).predict(sample(3))
    assert said is not None
    policy, told = (
        Policy(strategy="predictive_entropy", rarity=0.0, warmup_labels=0),
        {"coin": 0.5, "now": 0, "demand": Demand()},
    )
    decision, standing = learner.decide(policy, Standing(), said, **told)
    assert (decision, standing) == learner.decide(policy, Standing(), said, **told)
    assert decision.utility == STRATEGIES["predictive_entropy"](said)
    assert standing.seen == 1


def test_an_image_of_noise_is_more_novel_than_a_digit():
    x, y = load_digits(return_X_y=True)
    learner = build({"kind": "vector", "dim": 64}, seed=1)
    state = learner.start()
    for seq in range(1, 201):
        state, _ = learner.learn(state, x[seq].astype(np.float32), str(y[seq]), seq=seq)
    scorer = learner.scorer(state)
    noise = np.random.Generator(np.random.Philox(1)).integers(0, 17, (30, 64)).astype(np.float32)
    strange = [scorer.predict(one).novelty for one in noise]
    usual = [scorer.predict(one.astype(np.float32)).novelty for one in x[300:330]]
    assert np.median(strange) > np.quantile(usual, 0.9)
    assert np.median(strange) > 3.0


@pytest.mark.parametrize(("labels", "goal"), [(30, 0.60), (90, 0.84), (180, 0.88)])
def test_few_labels_of_the_digits_teach_much(labels: int, goal: float):
    x, y = load_digits(return_X_y=True)
    reached = []
    for seed in range(2):
        order = np.random.Generator(np.random.Philox(seed)).permutation(len(y))
        learner = build({"kind": "vector", "dim": 64}, seed=seed)
        state = learner.start()
        for seq, index in enumerate(order[:labels], 1):
            state, _ = learner.learn(state, x[index].astype(np.float32), str(y[index]), seq=seq)
        scorer, rest = learner.scorer(state), order[labels : labels + 600]
        said = scorer.predict_many([x[index].astype(np.float32) for index in rest])
        reached.append(np.mean([one.label == str(y[index]) for one, index in zip(said, rest, strict=True)]))
    assert np.mean(reached) >= goal


def test_classes_in_blocks_are_not_forgotten():
    x, y = load_digits(return_X_y=True)
    learner = build({"kind": "vector", "dim": 64}, seed=3, hidden=(64,))
    state = learner.start()
    held = np.arange(len(y)) % 4 == 0
    for block in range(5):
        for index in np.flatnonzero(~held & (y // 2 == block)):
            state, _ = learner.learn(state, x[index].astype(np.float32), str(y[index]), seq=state.seq + 1)
    scorer = learner.scorer(state)
    hits = [scorer.predict(x[index].astype(np.float32)).label == str(y[index]) for index in np.flatnonzero(held)]
    assert np.mean(hits) > 0.88
