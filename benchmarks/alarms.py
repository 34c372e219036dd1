"""How soon drift is noticed, and how often where there is none: the service's window beside River's.

    python -m benchmarks.alarms [--values 10000] [--runs 20]

Numbers that are 0 or 1. Without a change: alarms for each 10,000 values. With one after half of them, from a share of
.1: how many values later the first alarm comes, and the share of the runs in which one does.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from statistics import fmean

from river.drift import ADWIN

from benchmarks.reporting import report
from learner.watching.adwin import Adwin

Alarm = Callable[[float], bool]
DELTA = 0.002


def _own() -> Alarm:
    window = Adwin(DELTA)
    return lambda value: window.update(value) is not None


def _river() -> Alarm:
    window = ADWIN(delta=DELTA)

    def update(value: float) -> bool:
        window.update(value)
        return bool(window.drift_detected)

    return update


WINDOWS: dict[str, Callable[[], Alarm]] = {"own": _own, "river": _river}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both windows over the same numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args(arguments)
    for share in (0.05, 0.3):
        quiet = [_bits([(share, options.values)], seed) for seed in range(options.runs)]
        for name, make in WINDOWS.items():
            alarms = fmean(sum(map(make(), values)) for values in quiet) * 10_000 / options.values
            report("alarms", {"window": name, "share": share, "to": share, "alarms_per_10000": alarms})
    half = options.values // 2
    for to in (0.15, 0.2, 0.3, 0.5):
        turned = [_bits([(0.1, half), (to, half)], seed) for seed in range(options.runs)]
        for name, make in WINDOWS.items():
            delays = [delay for values in turned if (delay := _delay(make(), values, half)) is not None]
            found = {"found": len(delays) / len(turned), "delay": fmean(delays) if delays else None}
            report("alarms", {"window": name, "share": 0.1, "to": to} | found)


def _bits(parts: Sequence[tuple[float, int]], seed: int) -> list[float]:
    rng = random.Random(seed)
    return [float(rng.random() < share) for share, count in parts for _ in range(count)]


def _delay(alarm: Alarm, values: Sequence[float], change: int) -> int | None:
    """Return after how many values from the change on the first alarm comes."""
    rings = [alarm(value) for value in values]
    return next((place for place, rang in enumerate(rings[change:], 1) if rang), None)


if __name__ == "__main__":
    main()
