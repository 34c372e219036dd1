"""Numbers to match: the published implementation's where their folder is named, and our own to fifty digits."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

Case = dict[str, Any]

_DIGITS = 50


def golden(name: str) -> list[Case]:
    """Return the cases of one kind: those worked out here, and those of the folder that ENGRAM_GOLDEN names."""
    with mpmath.workdps(_DIGITS):
        cases = [_WORKED_OUT[name](np.random.default_rng(seed)) for seed in range(3)]
    beside = Path(os.environ.get("ENGRAM_DATA_SETS", "absent")) / ".." / "golden"  # noqa: TID251 - a test's own setting
    path = Path(os.environ.get("ENGRAM_GOLDEN", beside)) / f"{name}.json"  # noqa: TID251 - a test's own setting
    if path.exists():
        cases += json.loads(path.read_text())["cases"]
    return cases


def _bimu_update(random: np.random.Generator) -> Case:
    rule = {"lr": 4.9, "lr_max": 0.0023, "likelihood_multiplier": 161.3, "kl_multiplier": 3.76, "N": 700.0}
    lams, grads = random.normal(0, 3, 40).tolist(), random.normal(0, 0.2, 40).tolist()
    return {
        "hyperparameters": rule,
        "lambda_": lams,
        "gradient": grads,
        "delta": [float(_step(lam, grad, rule)) for lam, grad in zip(lams, grads, strict=True)],
    }


def _step(lam: float, grad: float, rule: dict[str, float]) -> mpmath.mpf:
    t, g = mpmath.tanh(lam), mpmath.mpf(rule["likelihood_multiplier"]) * grad
    held = rule["kl_multiplier"] * (1 - t**2)
    return -(rule["lr"] * g + held * lam / rule["N"]) / (held + 2 * g * t + 2 * abs(g) + 1 / mpmath.mpf(rule["lr_max"]))


def _uncertainty(random: np.random.Generator) -> Case:
    logits = random.normal(0, 2, (7, 4)).tolist()
    votes = [[mpmath.exp(z) / mpmath.fsum(map(mpmath.exp, row)) for z in row] for row in logits]
    mean = [mpmath.fsum(column) / len(votes) for column in zip(*votes, strict=True)]
    predictive, aleatoric = _entropy(mean), mpmath.fsum(map(_entropy, votes)) / len(votes)
    modes = [row.index(max(row)) for row in logits]
    return {
        "logits": logits,
        "predictive_entropy_bits": float(predictive),
        "aleatoric_bits": float(aleatoric),
        "epistemic_bits": float(predictive - aleatoric),
        "variation_ratio": 1 - max(map(modes.count, modes)) / len(modes),
        "mean_probabilities": [float(p) for p in mean],
    }


def _entropy(probabilities: list[mpmath.mpf]) -> mpmath.mpf:
    return -mpmath.fsum(p * mpmath.log(p, 2) for p in probabilities)


_WORKED_OUT: dict[str, Callable[[np.random.Generator], Case]] = {
    "bimu_update": _bimu_update,
    "uncertainty": _uncertainty,
}
