"""A simulation's numbers are the service's: the same samples, one at a time, every question answered at once."""

from __future__ import annotations

import numpy as np
import pytest

from learner.asking.policy import Policy
from learner.simulation import outcome, replay
from learner.snapshot import state_hash
from service.core.models.scoring import prediction_body
from service.core.models.training import learner_of
from service.core.monitoring import stats
from service.core.specs import LearnerSpec, QuerySpec
from tests.service.core.by_hand import CLASSES, SEED, History, begin

DIM = 20
"""Long enough for codes that tell near duplicates."""


def test_the_service_asks_what_the_simulation_asks_and_learns_the_same(past: History) -> None:
    draw = np.random.Generator(np.random.Philox(1))
    sides = draw.integers(0, 2, 80).tolist()
    rows = [(draw.normal(size=DIM) + 0.4 * side).tolist() for side in sides]
    for again in range(30, 80, 3):  # some come twice
        rows[again], sides[again] = rows[again - 20], sides[again - 20]
    asked_by = {"strategy": "margin", "rarity": 0.5, "budget": 0.3, "exploration": 0.2, "warmup_labels": 8}
    service = begin(past.parts, past.who, "asked", query=QuerySpec(**asked_by), dim=DIM)
    decided = []
    for row, side in zip(rows, sides, strict=True):
        found = service.post(row)
        query = found["query"]
        decided.append((found["prediction"], query and (query["reason"], query["propensity"])))
        if query is not None:
            service.answer(query["id"], row, CLASSES[side])
            service.catch_up()

    learner = learner_of({"kind": "vector", "dim": DIM}, LearnerSpec(seed=SEED, hidden=[4], components=2), "cpu")
    samples = [(np.array(row, np.float32), CLASSES[side]) for row, side in zip(rows, sides, strict=True)]
    steps, heedless = (
        list(replay(learner, policy, samples, seed=SEED, classes=CLASSES))
        for policy in (Policy(**asked_by), Policy(**asked_by, duplicate_radius=0.0))
    )
    assert decided == [
        (
            prediction_body(step.said),
            (step.decision.reason, step.decision.propensity) if step.decision.ask else None,
        )
        for step in steps
    ]
    assert state_hash(service.catch_up()) == state_hash(steps[-1].state)
    assert [step.decision for step in steps] != [step.decision for step in heedless]
    told = past.parts.db.read_now(lambda c: stats(c, past.parts, "asked"))["accuracy"]
    estimate = outcome(steps, len(samples), learner).estimate
    assert estimate is not None
    assert {name: told[name] for name in estimate._fields} == pytest.approx(estimate._asdict())
