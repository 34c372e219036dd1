"""How a simulation is told: a table, JSON, a plot of accuracy against labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from rich.console import Console
from rich.table import Table

from service.cli.simulation import Material, Run, Source

_COLUMNS = ("strategy", "budget", "labels", "share", "at arrival", "last fifth", "held out", "estimated at arrival")
_WIDE = 120


def print_table(console: Console, source: Source, material: Material, runs: Sequence[Run]) -> None:
    """Print a row for each policy: what it cost and reached, as mean and standard deviation where there are seeds."""
    kept = runs[0].outcome.samples
    kind = material.described["kind"]
    console.print(
        f"{source.path.name}: {kept} samples posted, {len(material.samples) - kept} held out; {kind}, "
        f"{len({label for _x, label in material.samples})} classes",
        markup=False,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "strategy" else "right", no_wrap=True)
    for part in _by_policy(runs):
        table.add_row(*_row(part))
    Console(file=console.file, width=max(_WIDE, console.width), highlight=False).print(table)


def as_json(source: Source, material: Material, runs: Sequence[Run]) -> str:
    """Return all of it, the curves too, as one JSON document."""
    found = {
        "file": source.path.name,
        "input": material.described,
        "classes": sorted({label for _x, label in material.samples}),
        "runs": [_told(run) for run in runs],
    }
    return json.dumps(found, indent=2)


def must_be_writable(path: Path) -> None:
    """Pass where a file can be written there, and leave none.

    Raises:
        OSError: where none can.
    """
    there = path.exists()
    path.open("ab").close()
    if not there:
        path.unlink()


def draw(path: Path, title: str, runs: Sequence[Run]) -> None:
    """Write a picture of the accuracy on what is held out against the labels spent: one line for each policy.

    With several seeds the line is their mean, and the band from the least to the most.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - a second of loading that only plots need

    figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for part in _by_policy(runs):
        looks = list(zip(*(run.outcome.curve for run in part), strict=True))
        labels = [fmean(look.labels for look in at) for at in looks]
        reached = [[look.accuracy or 0.0 for look in at] for at in looks]
        policy = part[0].policy
        [line] = axes.plot(labels, [fmean(of) for of in reached], label=f"{policy.strategy}, {policy.budget:.3g}")
        line.set(marker="o", markersize=3, linewidth=1.5)
        if len(part) > 1:
            low, high = [min(of) for of in reached], [max(of) for of in reached]
            axes.fill_between(labels, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set(title=title, xlabel="labels spent", ylabel="accuracy on what is held out")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(title="strategy, budget", frameon=False)
    figure.savefig(path, format="png")


def _by_policy(runs: Sequence[Run]) -> list[list[Run]]:
    parts: dict[Any, list[Run]] = {}
    for run in runs:
        parts.setdefault(run.policy, []).append(run)
    return list(parts.values())


def _row(part: Sequence[Run]) -> list[str]:
    of = [run.outcome for run in part]
    estimates = [found.estimate for found in of if found.estimate is not None]
    held_out = [found.held_out for found in of if found.held_out is not None]
    bounds = f" [{fmean(e.low for e in estimates):.3f}, {fmean(e.high for e in estimates):.3f}]" if estimates else ""
    return [
        part[0].policy.strategy,
        f"{part[0].policy.budget:.3g}",
        f"{fmean(found.labels for found in of):.0f}",
        f"{fmean(found.share for found in of):.2%}",
        _accuracy([found.arrival for found in of]),
        _accuracy([found.recent for found in of]),
        _accuracy(held_out),
        _accuracy([found.estimate for found in estimates]) + bounds,
    ]


def _accuracy(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{fmean(values):.4f}" + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")


def _told(run: Run) -> dict[str, Any]:
    found = run.outcome
    return {
        "policy": run.policy._asdict(),
        "seed": run.seed,
        "samples": found.samples,
        "labels": found.labels,
        "share": found.share,
        "accuracy": {"arrival": found.arrival, "last_fifth": found.recent, "held_out": found.held_out},
        "estimate": None if found.estimate is None else found.estimate._asdict(),
        "curve": [look._asdict() for look in found.curve],
    }
