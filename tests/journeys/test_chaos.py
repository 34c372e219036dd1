"""Killed at random moments under load: a small form of benchmarks/chaos.py."""

from __future__ import annotations

import random

import pytest

from benchmarks.chaos import chaos
from tests.conftest import postgres_database


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "kills"), [("sqlite", 5), ("postgresql", 3)])
def test_whatever_was_acknowledged_is_there_once_and_learned_once(kind: str, kills: int) -> None:
    if kind == "postgresql":
        with postgres_database():  # skips where there is none
            pass
    found = chaos(kind, kills, random.Random(7))
    assert not any(found["faults"].values()), found
    assert found["acknowledged_samples"] > 0
    assert found["log_entries"] > 0
