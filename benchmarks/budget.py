"""Whether the query budget holds, and how close to it spending stays.

    python -m benchmarks.budget [--streams 10000] [--samples 10000] [--seeds 5] [--data mnist]

First `--streams` adversarial streams of 300 samples: utilities, coins, pauses, queries given back and changes of the
budget that are made to break it, a tenth of them with a budget by the hour as well. Told is how far any window of any
stream went beyond what it was granted; the bound is the burst. Then how far from the budget `--samples` end:

    engram       the service's policy, without a warm-up
    threshold    a peer: the threshold moved by the coins alone, 0.3 a query, and a bound over the whole stream
    published    a peer: ask where u > τ, τ = B + sign(e)|e|^γ with e the share asked so far less B (arXiv 2605.30198)

on made streams of utilities, and on those that a learner gives to pictures while it learns from what is asked at 5 %.
`value` is the sum of the utilities asked over that of the best as many.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

import numpy as np

from benchmarks.images import DIGITS, images
from benchmarks.reporting import note, report, summarise
from learner import build, warm_up
from learner.asking.budget import BURST, HOUR
from learner.asking.policy import Demand, Policy, Standing, decide, give_back
from learner.asking.selection import wanted
from learner.simulation import replay

BUDGETS = (0.005, 0.01, 0.02, 0.05, 0.1)
ADVERSARIAL_SAMPLES = 300
WARM = Demand(labels=10**9)


class Worst(NamedTuple):
    """The largest excess of any window that ends here, and of any so far: what was asked beyond what was granted."""

    here: float = 0.0
    ever: float = 0.0

    def after(self, excess: float) -> Worst:
        """Return it with one more sample."""
        here = max(0.0, self.here) + excess
        return Worst(here, max(self.ever, here))


def attack(number: int) -> tuple[float, float]:
    """Return how far any window of one adversarial stream went beyond its budget, by samples and by the hour."""
    draw = Random(number)
    hourly = draw.choice((1.0, 60.0, 5000.0)) if draw.random() < 0.1 else None
    policy = Policy(budget=draw.choice((0.0, 0.005, 0.05, 0.3, 1.0)), exploration=draw.random(), labels_per_hour=hourly)
    mood, lucky, pause = draw.choice(MOODS), draw.random() < 0.5, draw.choice((1, HOUR // 100, HOUR))
    standing, now, samples, hours = Standing(), 0, Worst(), Worst()
    for n in range(ADVERSARIAL_SAMPLES):
        if draw.random() < 0.01:
            policy, mood = policy._replace(budget=draw.random() ** 3), draw.choice(MOODS)
        passed = pause if draw.random() < 0.1 else 0
        now += passed
        coin = 1e-12 if lucky else draw.random()
        utility = mood(n, standing.threshold, draw)
        decision, standing = decide(policy, standing, utility, coin=coin, now=now, demand=WARM)
        ended = 1 if standing.spent > 0 and draw.random() < 0.02 else 0
        standing = give_back(standing, ended)
        samples = samples.after(decision.ask - ended - policy.budget)
        if hourly is not None:
            hours = hours.after(decision.ask - ended - hourly * passed / HOUR)
    return samples.ever, hours.ever


MOODS: tuple[Callable[[int, float, Random], float], ...] = (
    lambda _n, _threshold, _draw: 1.0,
    lambda n, _threshold, _draw: float(n % 50 > 40),
    lambda _n, threshold, _draw: min(1.0, 1.3 * threshold),
    lambda _n, threshold, _draw: min(1.0, 0.7 * threshold),
    lambda _n, _threshold, draw: draw.random() ** 4,
    lambda n, _threshold, _draw: float(n > 250),
)
"""Utilities by the sample's number, the threshold and chance: all high, bursts, just above, just below, any, late."""


def engram(utilities: Sequence[float], budget: float, draw: Random) -> list[bool]:
    """Return what the policy asks."""
    policy, standing, asked = Policy(budget=budget, warmup_labels=0), Standing(), []
    for utility in utilities:
        decision, standing = decide(policy, standing, utility, coin=draw.random(), now=0, demand=WARM)
        asked.append(decision.ask)
    return asked


def threshold(utilities: Sequence[float], budget: float, draw: Random) -> list[bool]:
    """Return what a threshold moved by the coins alone asks, within a bound over the whole stream."""
    at, spent, asked = 0.1, 0, []
    for seen, utility in enumerate(utilities, 1):
        want = draw.random() < 0.1 * budget + (1 - 0.1 * budget) * wanted(utility, at)
        asked.append(want and spent + 1 <= budget * seen + 3)
        spent += asked[-1]
        at = min(1.0, max(0.005, at * math.exp(0.3 * (want - budget))))
    return asked


def published(gamma: float) -> Callable[[Sequence[float], float, Random], list[bool]]:
    """Return the published rule with that exponent."""

    def rule(utilities: Sequence[float], budget: float, draw: Random) -> list[bool]:  # noqa: ARG001 - it tosses no coin
        spent, asked = 0, []
        for seen, utility in enumerate(utilities):
            error = spent / max(1, seen) - budget
            asked.append(utility > budget + math.copysign(abs(error) ** gamma, error))
            spent += asked[-1]
        return asked

    return rule


CONTROLLERS = {
    "engram": engram,
    "threshold": threshold,
    "published γ = 0.25": published(0.25),
    "published γ = 1": published(1.0),
}


def _lognormal(draw: Random, count: int, middle: Callable[[int], float]) -> list[float]:
    return [min(1.0, math.exp(draw.gauss(middle(n), 1.0))) for n in range(count)]


_HIGH, _LOW = -4.0 + math.log(10.0), -4.0
MADE: dict[str, Callable[[Random, int], list[float]]] = {
    "stationary": lambda draw, n: _lognormal(draw, n, lambda _: _LOW),
    "ten times up": lambda draw, n: _lognormal(draw, n, lambda at: _LOW if at < n // 2 else _HIGH),
    "ten times down": lambda draw, n: _lognormal(draw, n, lambda at: _HIGH if at < n // 2 else _LOW),
    "drift": lambda draw, n: _lognormal(draw, n, lambda at: _LOW - 1.0 + 3.0 * at / n),
    "bursts": lambda draw, n: _lognormal(draw, n, lambda at: _LOW + 3.0 * (at // 200 % 5 == 0)),
    "four values": lambda draw, n: draw.choices((0.02, 0.1, 0.5, 1.0), (0.7, 0.2, 0.05, 0.05), k=n),
    "one value": lambda _draw, n: [0.5] * n,
}


def real(data_set: str, count: int, seed: int) -> list[float]:
    """Return the utilities that a learner gives to pictures while it learns those asked."""
    data, policy = images(data_set, count, 1), Policy()
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(data.y)).tolist()
    samples = [(data.x[index], str(data.y[index])) for index in order]
    steps = replay(build(data.source, seed=seed), policy, samples, seed=seed)
    return [policy.utility(step.said) for step in steps if step.said is not None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Attack the bound, then tell how close to the budget each rule spends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", choices=("mnist", "fashion_mnist", DIGITS), default=DIGITS)
    options = parser.parse_args(arguments)
    warm_up()
    excesses = [attack(number) for number in range(options.streams)]
    worst = max(max(pair) for pair in excesses)
    broken = sum(max(pair) > BURST + 1e-6 for pair in excesses)
    report("budget_bound", {"streams": options.streams, "broken": broken, "worst_excess": worst, "burst": BURST})
    results: list[dict[str, Any]] = []
    for seed in range(options.seeds):
        streams = {name: made(Random(seed), options.samples) for name, made in MADE.items()}
        streams[options.data] = real(options.data, options.samples, seed)
        for name, utilities in streams.items():
            for budget in BUDGETS:
                for rule, controller in CONTROLLERS.items():
                    told = {"stream": name, "controller": rule, "budget": budget, "seed": seed}
                    found = measured(utilities, controller(utilities, budget, Random(seed + 1000)), budget)
                    results.append(told | found)
                    note("budget", told, found)
    summarise("budget", results, by=("stream", "controller", "budget"))


def measured(utilities: Sequence[float], asked: Sequence[bool], budget: float) -> dict[str, float]:
    """Return the relative error of the share asked, its size, and the value of what was asked."""
    count = sum(asked)
    best = sum(sorted(utilities)[len(utilities) - count :])
    error = count / len(utilities) / budget - 1.0
    value = sum(utility for utility, ask in zip(utilities, asked, strict=True) if ask) / best if best else 0.0
    return {"error": error, "error_size": abs(error), "value": value}


if __name__ == "__main__":
    main()
