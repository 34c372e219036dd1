"""Where the data lie, and how a result is written: one JSON line, and a table of the same numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any


def data_sets() -> str:
    """Return the folder of the data sets.

    Raises:
        SystemExit: where ENGRAM_DATA_SETS is not set.
    """
    folder = os.environ.get("ENGRAM_DATA_SETS")  # noqa: TID251 - a benchmark's own setting
    if not folder:
        raise SystemExit("set ENGRAM_DATA_SETS to the folder of the data sets")
    return folder


def report(name: str, found: Mapping[str, Any]) -> None:
    """Print one result."""
    shown = {key: round(value, 5) if isinstance(value, float) else value for key, value in found.items()}
    print(json.dumps({"benchmark": name} | shown))
    width = max(map(len, shown))
    print("\n".join(f"  {key:<{width}}  {value}" for key, value in shown.items()), flush=True)
