"""Streams as they were learned before: whatever changes, a log that is there gives the learner that it gave.

`golden_streams/` holds what was said and known, and snapshots of half-way, written once by
`python -m tests.learner.test_golden_streams` and not to be written again for a stream that is there: a change that
these tests refuse is one that every stream of every user would notice. To 1e-4, since another processor may round
otherwise; other noise, rates or orders are far beyond that.
"""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learner import BiMURule, OnlineLearner, build, snapshot
from learner.exporting import pack
from learner.state import LearnerState, Prediction
from tests.learner.samples import sample

FOLDER = Path(__file__).parent / "golden_streams"
HALF, WHOLE = 60, 150
VECTOR: dict[str, Any] = {"kind": "vector", "dim": 3}
STREAMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vector": (VECTOR, {}),
    "vector, few pulls": (VECTOR | {"projection": 4}, {"rule": BiMURule(pull_every=4)}),
    "vector, 16 bits, alone": (VECTOR, {"fixed_point": True, "rates": ()}),
    "vector, opening gates": (VECTOR, {"gate": "stochastic"}),
    "image": ({"kind": "image", "width": 4, "height": 3, "channels": 1}, {"components": 20}),
    "text": ({"kind": "text", "dim": 64}, {}),
    "tabular": ({"kind": "tabular", "fields": {"a": "number", "b": "category"}, "buckets": 4}, {}),
}


def learner(name: str) -> OnlineLearner:
    source, settings = STREAMS[name]
    return build(source, seed=2**63 + 5, **({"hidden": (6,)} | settings))


def label(n: int) -> str:
    """One class is known at first, one comes late, one stays away for long and comes back."""
    return "a" if n < 15 or n > WHOLE - 5 else "bc"[n % 3 == 0] if n < 40 else "bbbc"[n % 4]


def learned(name: str, state: LearnerState, first: int, end: int) -> LearnerState:
    one, kind = learner(name), STREAMS[name][0]["kind"]
    for n in range(first, end):
        state, _ = one.learn(state, sample(kind, n), label(n), seq=n + 1)
    return state


def told(name: str, state: LearnerState) -> dict[str, Any]:
    """Return numbers that any change of what is known or said moves."""
    one, kind = learner(name), STREAMS[name][0]["kind"]
    parts = [*state.encoder, *one.network.real(state.layers)]
    arrays = [part.numpy() for part in parts]
    if state.memory is not None:
        arrays += [part for memory in state.memory.memories for part in memory] + [*state.memory.fusion]
        arrays.append(state.memory.familiar)
    said = one.scorer(state).predict_many([sample(kind, n) for n in (3, 44, 77)])
    packed = pack(one.network, state, members=3).weights if one.network.gate == "none" else ()
    return {
        "counts": list(state.counts),
        "known": [_sum(array) for array in arrays],
        "said": [_numbers(prediction) for prediction in said if prediction],
        "exported": [_sum(layer) for layer in packed],
    }


def _sum(array: np.ndarray) -> float:
    flat = np.asarray(array, np.float64).reshape(-1)
    return float((flat * np.cos(np.arange(flat.size))).sum())


def _numbers(said: Prediction) -> list[float]:
    doubts = [said.predictive_entropy, said.aleatoric, said.epistemic, said.variation_ratio, said.novelty, said.rarity]
    return [*said.probabilities.values(), *doubts]


def _file(name: str, ending: str) -> Path:
    return FOLDER / f"{name.replace(', ', '_').replace(' ', '_')}.{ending}"


def _flat(found: dict[str, Any]) -> list[float]:
    return [*found["counts"], *found["known"], *chain(*found["said"]), *found["exported"]]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_learned_as_it_always_was(name: str) -> None:
    state = learned(name, learner(name).start(("a",)), 0, WHOLE)
    expected = json.loads(_file(name, "json").read_text())
    assert _flat(told(name, state)) == pytest.approx(_flat(expected), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", STREAMS)
def test_a_snapshot_of_long_ago_is_read_and_goes_on_as_it_would_have(name: str) -> None:
    half = snapshot.restore(_file(name, "snapshot").read_bytes())
    assert (half.seq, half.classes) == (HALF, ("a", "c", "b"))
    expected = json.loads(_file(name, "json").read_text())
    assert _flat(told(name, learned(name, half, HALF, WHOLE))) == pytest.approx(_flat(expected), rel=1e-4, abs=1e-4)


def write() -> None:
    """Write what is not there yet."""
    FOLDER.mkdir(exist_ok=True)
    for name in STREAMS:
        if not _file(name, "json").exists():
            half = learned(name, learner(name).start(("a",)), 0, HALF)
            _file(name, "snapshot").write_bytes(snapshot.dump(half))
            whole = told(name, learned(name, half, HALF, WHOLE))
            _file(name, "json").write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    write()
