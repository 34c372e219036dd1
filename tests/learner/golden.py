"""Where the golden numbers lie: computed with the authors' published implementation, outside this repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


def golden(name: str) -> list[dict[str, Any]]:
    """Return the cases of one golden file, or skip the test where the folder is absent."""
    beside = Path(os.environ.get("ENGRAM_DATA_SETS", "absent")) / ".." / "golden"  # noqa: TID251 - a test's own setting
    path = Path(os.environ.get("ENGRAM_GOLDEN", beside)) / f"{name}.json"  # noqa: TID251 - a test's own setting
    if not path.exists():
        pytest.skip("golden numbers are absent: set ENGRAM_GOLDEN to their folder")
    cases: list[dict[str, Any]] = json.loads(path.read_text())["cases"]
    return cases
