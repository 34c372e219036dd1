"""Where the data lie, and how results are written: one JSON line each and a table, then a mean over seeds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

Result = Mapping[str, Any]


def data_sets() -> str:
    """Return the folder of the data sets.

    Raises:
        SystemExit: where ENGRAM_DATA_SETS is not set.
    """
    folder = os.environ.get("ENGRAM_DATA_SETS")  # noqa: TID251 - a benchmark's own setting
    if not folder:
        raise SystemExit("set ENGRAM_DATA_SETS to the folder of the data sets")
    return folder


def report(name: str, found: Result) -> None:
    """Print one result."""
    shown = _rounded(found)
    print(json.dumps({"benchmark": name} | shown))
    width = max(map(len, shown))
    print("\n".join(f"  {key:<{width}}  {value}" for key, value in shown.items()), flush=True)


def note(name: str, told: Result, found: Result) -> None:
    """Print what was seen on the way to a result, as a JSON line alone."""
    print(json.dumps({"benchmark": name} | _rounded(told) | _rounded(found)), flush=True)


def summarise(name: str, results: Sequence[Result], *, by: Sequence[str]) -> None:
    """Print mean and standard deviation over seeds of each measured number, and of how many, for each group.

    Args:
        name: the benchmark's.
        results: what was reported.
        by: what tells groups apart; every other fraction is what was measured, null where there was none.
    """
    groups: dict[tuple[Any, ...], list[Result]] = {}
    for found in results:
        groups.setdefault(tuple(found[key] for key in by), []).append(found)
    rows = []
    for group, of in groups.items():
        measured = [key for key in of[0] if key not in by and any(isinstance(found[key], float) for found in of)]
        numbers = {key: _mean_and_deviation([found[key] for found in of]) for key in measured}
        rows.append({**dict(zip(by, group, strict=True)), "seeds": len(of), **numbers})
    print(json.dumps({"benchmark": name, "summary": [_rounded(row) for row in rows]}))
    for row in rows:
        said = (f"{key} {_shown(value)}" for key, value in row.items())
        print("  " + ", ".join(said), flush=True)


def _mean_and_deviation(values: Sequence[float | None]) -> dict[str, float]:
    known = [value for value in values if value is not None]
    return {"mean": fmean(known), "sd": stdev(known) if len(known) > 1 else 0.0, "of": len(known)}


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['mean']:.5g} ± {value['sd']:.2g} (of {value['of']})"
    return str(value)


def _rounded(found: Result) -> dict[str, Any]:
    return {key: _round(value) for key, value in found.items()}


def _round(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, Mapping):
        return _rounded(value)
    return value
