"""What is decided is within the budget in every window, by a propensity that is exact, and close to the budget."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.asking.budget import BURST, DAY, HOUR
from learner.asking.policy import Demand, Policy, Standing, decide, easing, give_back
from learner.asking.threshold import CEILING, FLOOR

WARM = Demand(labels=10**9)
policies = st.builds(
    Policy,
    budget=st.one_of(st.just(0.0), st.floats(0.001, 1.0)),
    exploration=st.floats(0, 1),
    labels_per_hour=st.none() | st.floats(0.1, 1e4),
    labels_per_day=st.none() | st.floats(0.1, 1e4),
    max_open=st.integers(1, 50),
    warmup_labels=st.just(0),
)
adversaries = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.004, 0.1, 0.5, 1.0]),  # utility
        st.sampled_from([1e-9, 0.004, 0.3, 1 - 1e-9]),  # coin
        st.sampled_from([-5, 0, 1, 10**6, HOUR // 7, DAY]),  # time that passes
        st.integers(0, 60),  # queries open
        st.sampled_from([0, 0, 0, 1, 3]),  # queries given back
        st.booleans(),  # a near-duplicate
    ),
    max_size=120,
)


@settings(max_examples=300)
@given(policy=policies, sent=adversaries, change=st.none() | policies)
def test_no_window_holds_more_than_the_budget_and_the_burst(
    policy: Policy, sent: list[Any], change: Policy | None
) -> None:
    standing, now, rows = Standing(), 0, []
    for position, (utility, coin, passed, held, ended, same) in enumerate(sent):
        policy = change if change is not None and position == len(sent) // 2 else policy
        now += passed
        before = standing
        demand = Demand(labels=10**9, open=held)
        decision, standing = decide(
            policy, standing, utility, coin=coin, now=now, demand=demand, near_duplicate=lambda same=same: same
        )
        assert 0.0 <= decision.propensity <= 1.0
        assert decision.ask == (coin < decision.propensity)
        assert standing.buckets.least >= -1e-9
        assert FLOOR <= standing.threshold <= CEILING
        assert standing.spent - before.spent == decision.ask
        assert Standing.from_json(json.loads(json.dumps(standing.to_json()))) == standing
        back = min(ended, standing.spent)
        standing = give_back(standing, back)
        rows.append((standing.buckets.at, decision.ask - back, policy))
    for first in range(len(rows)):
        asked, share = 0, 0.0
        for at, net, ruled in rows[first:]:
            asked, share = asked + net, share + ruled.budget
            assert asked <= share + BURST + 1e-6
            if change is None:
                passed = at - rows[first - 1][0] if first else at
                for rate, span in ((ruled.labels_per_hour, HOUR), (ruled.labels_per_day, DAY)):
                    assert rate is None or asked <= rate * passed / span + BURST + 1e-6


@given(policy=policies, utility=st.floats(0, 1), coins=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_the_propensity_is_known_before_the_coin(policy: Policy, utility: float, coins: tuple[float, float]) -> None:
    one, other = (decide(policy, Standing(), utility, coin=coin, now=5, demand=WARM)[0] for coin in coins)
    assert one._replace(ask=False, reason=None) == other._replace(ask=False, reason=None)


def spend(policy: Policy, utilities: Sequence[float], seed: int = 0) -> tuple[list[bool], list[float]]:
    coins = np.random.Generator(np.random.Philox(seed)).random(len(utilities))
    standing, asked, propensities = Standing(), [], []
    for utility, coin in zip(utilities, coins.tolist(), strict=True):
        decision, standing = decide(policy, standing, utility, coin=coin, now=0, demand=WARM)
        asked.append(decision.ask)
        propensities.append(decision.propensity)
    return asked, propensities


def lognormal(count: int, middle: float, seed: int) -> list[float]:
    drawn = np.random.Generator(np.random.Philox(seed)).normal(middle, 1.0, count)
    return [min(1.0, math.exp(value)) for value in drawn.tolist()]


STREAMS: dict[str, Callable[[int], list[float]]] = {
    "stationary": lambda n: lognormal(n, -4.0, 1),
    "ten times as unsure": lambda n: lognormal(n // 2, -4.0, 1) + lognormal(n // 2, -4.0 + math.log(10), 2),
    "ten times as sure": lambda n: lognormal(n // 2, -2.0, 1) + lognormal(n // 2, -2.0 - math.log(10), 2),
    "three values": lambda n: [(0.02, 0.1, 1.0)[(7 * i % 20 > 13) + (7 * i % 20 > 17)] for i in range(n)],
    "one value": lambda n: [0.5] * n,
}


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("budget", [0.005, 0.05])
def test_spending_is_within_a_tenth_of_the_budget(stream: str, budget: float) -> None:
    count = 12_000
    asked, _ = spend(Policy(budget=budget, warmup_labels=0), STREAMS[stream](count))
    for half in (asked, asked[count // 2 :]):
        assert sum(half) == pytest.approx(budget * len(half), rel=0.1)


def test_everybody_has_a_chance_while_the_buckets_hold() -> None:
    _, propensities = spend(Policy(budget=0.05, exploration=0.1, warmup_labels=0), STREAMS["stationary"](5000))
    assert min(propensities) == pytest.approx(0.005)


def test_the_most_valuable_are_asked() -> None:
    utilities = STREAMS["stationary"](8000)
    asked, _ = spend(Policy(budget=0.05, exploration=0.0, warmup_labels=0), utilities)
    chosen = np.mean([u for u, a in zip(utilities, asked, strict=True) if a])
    best = np.mean(sorted(utilities)[-sum(asked) :])
    assert chosen > 0.75 * best  # 0.25 · best by chance


def test_labels_per_hour_hold_where_samples_come_fast_and_the_share_where_they_come_slowly() -> None:
    policy = Policy(budget=0.1, labels_per_hour=60.0, warmup_labels=0)
    for between, expected in ((HOUR // 3600, 60 / 3600), (HOUR // 10, 0.1)):
        standing, asked, count = Standing(), 0, 6000
        coins = np.random.Generator(np.random.Philox(3)).random(count).tolist()
        for n, (utility, coin) in enumerate(zip(STREAMS["stationary"](count), coins, strict=True)):
            decision, standing = decide(policy, standing, utility, coin=coin, now=n * between, demand=WARM)
            asked += decision.ask
        assert asked == pytest.approx(expected * count, rel=0.1)


def test_nothing_is_asked_with_no_budget() -> None:
    asked, propensities = spend(Policy(budget=0.0, warmup_labels=0), [1.0] * 50)
    assert (sum(asked), max(propensities)) == (0, 0.0)


def test_the_warm_up_is_free_and_bounded_though_nobody_answers() -> None:
    policy, standing, reasons = Policy(budget=0.0, warmup_labels=3), Standing(), []
    for utility in (None, 0.1, 0.1, 0.1, 0.1):
        decision, standing = decide(policy, standing, utility, coin=0.99, now=0, demand=Demand())
        reasons.append(decision.reason)
    assert reasons == ["novel", "exploration", "exploration", None, None]
    assert (standing.free, standing.spent) == (3, 0)
    assert decide(policy, Standing(), 0.1, coin=0.99, now=0, demand=Demand(labels=2, open=1))[0].ask is False


def test_a_near_duplicate_leaves_exploration_alone_and_is_looked_for_only_where_it_matters() -> None:
    looked = []

    def same() -> bool:
        looked.append(True)
        return True

    told = {"coin": 0.5, "now": 0, "demand": WARM, "near_duplicate": same}
    policy = Policy(budget=0.1, exploration=0.2)
    assert decide(policy, Standing(), 1.0, **told)[0].propensity == pytest.approx(0.02)
    assert len(looked) == 1
    decide(policy, Standing(), 0.0, **told)
    assert len(looked) == 1


def test_less_is_asked_as_the_queue_fills_and_only_at_random_in_its_last_tenth() -> None:
    policy = Policy(max_open=100, budget=0.1, exploration=0.2)
    shares = [easing(policy, Demand(open=n)) for n in range(101)]
    assert shares == sorted(shares, reverse=True)
    assert (shares[45], shares[90]) == (1.0, 0.0)
    chances = [
        decide(policy, Standing(), 1.0, coin=0.5, now=0, demand=Demand(labels=99, open=n))[0].propensity
        for n in (0, 89, 90, 99, 100)
    ]
    assert chances == pytest.approx([1.0, 1.0, 0.02, 0.02, 0.0])


def test_with_a_model_that_lags_less_is_asked_and_the_budget_is_used_again_once_it_has_caught_up() -> None:
    policy, standing, asked = Policy(budget=0.05, warmup_labels=0), Standing(), []
    coins = np.random.Generator(np.random.Philox(1)).random(15_000).tolist()
    for n, (utility, coin) in enumerate(zip(STREAMS["stationary"](15_000), coins, strict=True)):
        demand = WARM._replace(lag=1000 if 5000 <= n < 10_000 else 0)
        decision, standing = decide(policy, standing, utility, coin=coin, now=0, demand=demand)
        asked.append(decision.ask)
    thirds = [sum(asked[start : start + 5000]) for start in (0, 5000, 10_000)]
    assert thirds[1] == pytest.approx(0.05 * 5000 * (0.1 + 0.9 * 0.1), rel=0.25)
    assert thirds[2] == pytest.approx(0.05 * 5000, rel=0.1)
