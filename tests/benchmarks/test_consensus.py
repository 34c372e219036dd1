"""The benchmark of several answers runs at a tiny size, and says what either rule is worth."""

from __future__ import annotations

import json

import pytest

from benchmarks import consensus


def test_either_rule_gets_more_right_than_one_person_of_the_middle(capsys: pytest.CaptureFixture[str]) -> None:
    consensus.main(["--seeds", "1", "--questions", "60"])
    printed = capsys.readouterr().out.splitlines()
    summary = next(found["summary"] for found in map(json.loads, printed[:-12]) if "summary" in found)
    assert len(summary) == 12
    alike = [row for row in summary if row["people"] == "alike"]
    assert all(row["right"]["mean"] > 0.8 and 2.0 <= row["answers"]["mean"] <= 5.0 for row in alike)
