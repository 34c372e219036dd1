"""The budget holds at every moment, whatever comes and however it is answered."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learner.asking.budget import BURST
from learner.asking.policy import Policy
from learner.asking.strategies import STRATEGIES
from service.core.specs import QuerySpec
from tests.conftest import Running

_names = (f"b{n}" for n in count())

samples = st.tuples(st.floats(-3, 3, width=16), st.floats(-3, 3, width=16)).map(list)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.lists(samples, min_size=1, max_size=40)),
        st.tuples(st.just("truths"), st.lists(st.tuples(samples, st.sampled_from("ab")), min_size=1, max_size=4)),
        st.tuples(st.just("answer"), st.sampled_from("abc")),
        st.just(("skip", "not_for_me")),
    ),
    min_size=2,
    max_size=8,
)


def batch(service: Running, name: str, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = service.client.post(f"/v1/streams/{name}/samples:batch", json={"samples": sent})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


@settings(max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    budget=st.sampled_from([0.0, 0.01, 0.1, 0.35, 1.0]),
    exploration=st.sampled_from([0.0, 0.1, 1.0]),
    strategy=st.sampled_from(sorted(STRATEGIES)),
    warmup=st.integers(0, 5),
    steps=steps,
)
def test_no_moment_after_the_warm_up_has_asked_for_more_than_the_budget(
    shared: Running, budget: float, exploration: float, strategy: str, warmup: int, steps: list[Any]
) -> None:
    name = next(_names)
    policy = {"budget": budget, "exploration": exploration, "strategy": strategy, "warmup_labels": warmup}
    policy["withdraw_below"] = 0.0  # what is withdrawn is given back, and may be asked again
    shared.stream(name, classes=["a", "b"], query=policy, learner={"seed": 5, "hidden": [8]})
    if warmup:
        first = batch(shared, name, [{"data": [n, -n]} for n in range(warmup)])
        assert all(found["query"]["reason"] == "exploration" for found in first)
    seen = asked = 0
    for kind, what in steps:
        if kind == "post":
            for found in batch(shared, name, [{"data": data} for data in what]):
                seen, asked = seen + 1, asked + (found["query"] is not None)
                assert asked <= budget * seen + BURST
        elif kind == "truths":
            for found in batch(shared, name, [{"data": data, "label": label} for data, label in what]):
                assert found["query"] is None
        elif leased := shared.lease(name):
            if kind == "answer":
                shared.answer(leased[0], what)
            else:
                body = {"lease_token": leased[0]["lease"]["token"], "reason": what}
                path = f"/v1/queries/{leased[0]['id']}:skip"
                assert shared.client.post(path, json=body).status_code == 204
    assert shared.stats(name)["queries"]["asked"] == warmup + asked
    shared.client.delete(f"/v1/streams/{name}")


def test_with_something_worth_asking_the_budget_is_used(shared: Running) -> None:
    name = next(_names)
    policy = {"budget": 0.2, "exploration": 0.0, "warmup_labels": 0}
    shared.stream(name, classes=["a", "b"], query=policy, learner={"seed": 5, "hidden": [8]})
    found = batch(shared, name, [{"data": [n % 7 - 3, n % 5 - 2]} for n in range(1000)])
    assert 180 <= sum(one["query"] is not None for one in found) <= 200 + BURST


def test_where_spending_stands_is_told(shared: Running) -> None:
    name = next(_names)
    policy = {"budget": 0.5, "exploration": 0.5, "warmup_labels": 3, "max_open": 4}
    shared.stream(name, classes=["a", "b"], query=policy, learner={"seed": 5, "hidden": [8]})
    begun = shared.stats(name)["spending"]
    assert (begun["seen"], begun["spent"], begun["free"], begun["eased"], begun["eased_by"]) == (0, 0, 0, 1.0, None)
    batch(shared, name, [{"data": [n % 7 - 3, n % 5 - 2]} for n in range(60)])
    told = shared.stats(name)
    spending = told["spending"]
    assert (spending["seen"], spending["free"]) == (57, 3)
    assert spending["spent"] == told["queries"]["asked"] - 3
    assert told["queries"]["asked"] == 4  # and no more, since nobody answers
    assert (spending["eased"], spending["eased_by"]) == (0.0, "queue")
    assert 0.0 <= spending["allowance"] <= BURST


def test_a_bound_by_the_hour_holds_and_can_be_taken_away(shared: Running) -> None:
    name = next(_names)
    policy = {"budget": 1.0, "exploration": 1.0, "warmup_labels": 0, "labels_per_hour": 1.0}
    shared.stream(name, classes=["a", "b"], query=policy, learner={"seed": 5, "hidden": [8]})
    sent = [{"data": [n % 7 - 3, n % 5 - 2]} for n in range(40)]
    assert sum(one["query"] is not None for one in batch(shared, name, sent)) <= BURST
    path = f"/v1/streams/{name}"
    changed = shared.client.patch(path, json={"query": {"labels_per_hour": None}}).raise_for_status().json()
    assert changed["query"]["labels_per_hour"] is None
    assert changed["query"]["budget"] == 1.0
    assert sum(one["query"] is not None for one in batch(shared, name, sent)) > BURST
    for wrong in ({"labels_per_day": 0}, {"max_open": 0}, {"rarity": 1.5}, {"strategy": "guess"}):
        answer = shared.client.patch(path, json={"query": wrong})
        assert answer.status_code == 422
        assert next(iter(wrong)) in answer.json()["errors"][0]["pointer"]


def test_rare_classes_count_more_unless_a_strategy_is_named() -> None:
    assert QuerySpec().rarity == Policy().rarity == 1.0
    assert QuerySpec(strategy="variation_ratio").rarity == 0.0
    assert QuerySpec(strategy="margin", rarity=0.5).rarity == 0.5
    stored = QuerySpec().model_dump()
    assert QuerySpec(**stored).model_dump() == stored
