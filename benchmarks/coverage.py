"""Whether the live accuracy is honest: how often its intervals hold the true prequential accuracy of made streams.

    python -m benchmarks.coverage [--streams 1008] [--samples 2500] [--looks 12]

Streams are spread evenly over the scenarios. In each the service's own policy decides whom to ask
(`learner.asking.policy.decide`), from a model that is known: nine in ten of the samples are easy, confidence and
correctness are drawn for each sample, and accuracy rises with time.

    budget .02 … .2     calibrated confidence, every query answered, at four budgets
    overconfident       a sample of confidence p is right with probability p - .1
    drift               in the second half a fifth of what would have been right is wrong
    silence             of uncertain queries nine in ten are answered, of exploration's one in two
    truths              for one sample in twenty the truth comes by itself
    old truths          for half of the oldest four tenths; the model goes on to learn

`covered`: how often the 95 % interval held the truth at the end of a stream; `missed_low`, `missed_high`: how often the
truth lay below, above it. `looks_covered`: the same at a moment along the way. `anytime_covered`: how often the anytime
interval held it at all looks together. `naive_error`: the mean of labels as they come, less the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.reporting import report
from learner.asking.policy import Demand, Policy, Standing, decide
from learner.watching.accuracy import accuracy
from learner.watching.strata import Labelled, Population, age_of, stratum_of

SECOND = 1_000_000


class Scenario(NamedTuple):
    """What a stream is like: budget, overconfidence, share of what turns wrong halfway, answers, and truths.

    `told` of the samples have truths, of the oldest share `told_of` of the stream; accuracy comes near its end like
    exp(-`pace` time).
    """

    name: str
    budget: float = 0.05
    overconfidence: float = 0.0
    turned: float = 0.0
    answered: tuple[float, float] = (1.0, 1.0)  # of the uncertain, and of exploration
    told: float = 0.0
    told_of: float = 1.0
    pace: float = 20.0


SCENARIOS = (
    *(Scenario(f"budget {budget}", budget) for budget in (0.02, 0.05, 0.1, 0.2)),
    Scenario("overconfident", overconfidence=0.1),
    Scenario("drift", turned=0.2),
    Scenario("silence", answered=(0.9, 0.5)),
    Scenario("truths", told=0.05),
    Scenario("old truths", told=0.5, told_of=0.4, pace=4.0),
)


class History(NamedTuple):
    """A stream as it went, one entry for each sample: propensity, stratum, asked, label known, prediction right."""

    propensity: NDArray[np.float64]
    stratum: NDArray[np.int64]
    asked: NDArray[np.bool_]
    known: NDArray[np.bool_]
    right: NDArray[np.bool_]
    age: NDArray[np.int64]


def history(scenario: Scenario, samples: int, seed: int) -> History:
    """Return what a stream did, with the policy of the service."""
    random, time = np.random.default_rng(seed), np.arange(samples) / samples
    easy = random.random(samples) < 0.9
    confidence = np.where(easy, 1.0 - random.beta(1.0, 60.0, samples), 1.0 - 0.9 * random.beta(2.0, 4.0, samples))
    chance = np.clip(confidence - scenario.overconfidence - 0.25 * np.exp(-scenario.pace * time), 0.0, 1.0)
    chance *= np.where(time > 0.5, 1.0 - scenario.turned, 1.0)
    right, coins = random.random(samples) < chance, random.random(samples)
    utility = np.clip(1.0 - confidence + random.normal(0.0, 0.02, samples), 0.0, 1.0)
    policy, standing = Policy(budget=scenario.budget), Standing()
    propensity, asked, answered = np.zeros(samples), np.zeros(samples, bool), np.zeros(samples, bool)
    replies, labels, age = random.random(samples), 0, np.zeros(samples, np.int64)
    for index in range(samples):
        age[index] = age_of(labels)
        decision, standing = decide(
            policy,
            standing,
            float(utility[index]),
            coin=float(coins[index]),
            now=index * SECOND,
            demand=Demand(labels=labels),
        )
        propensity[index], asked[index] = decision.propensity, decision.ask
        share = scenario.answered[decision.reason == "exploration" and decision.propensity < 1.0]
        answered[index] = decision.ask and replies[index] < share
        labels += int(answered[index])
    told = (random.random(samples) < scenario.told) & (time < scenario.told_of)
    strata = np.array([stratum_of(p) for p in propensity])
    return History(propensity, strata, asked, answered | told, right, age)


def counted(past: History) -> tuple[list[Population], list[Labelled]]:
    """Return a stream's samples and labels by stratum and age."""
    population = []
    for stratum, age in np.unique(np.stack((past.stratum, past.age)), axis=1).T.tolist():
        inside = (past.stratum == stratum) & (past.age == age)
        least = float(past.propensity[inside].min())
        population.append(Population(stratum, int(inside.sum()), int(past.asked[inside].sum()), least, age))
    columns = (past.stratum, past.propensity, past.asked, past.right, past.age)
    known = zip(*(column[past.known].tolist() for column in columns), strict=True)
    return population, [Labelled(h, p, asked, right, 1, age) for h, p, asked, right, age in known]


class Seen(NamedTuple):
    """What came of one stream."""

    covered: bool
    missed_low: bool
    missed_high: bool
    looks_covered: float
    anytime_covered: bool
    naive_error: float
    naive_covered: bool
    error: float
    width: float
    anytime_width: float
    truth: float
    labels: float
    share_covered: float


def watch(scenario: Scenario, samples: int, looks: int, seed: int) -> Seen:
    """Look at one stream again and again, and compare with the truth."""
    whole, inside, at_all_times = history(scenario, samples, seed), [], True
    for until in np.linspace(samples / looks, samples, looks).astype(int):
        past = History(*(column[:until] for column in whole))
        found = accuracy(*counted(past))
        if found is None:
            continue
        could = (past.propensity > 0.0) | (scenario.told > 0.0)
        truth = float(past.right[could].mean())
        inside.append(found.low <= truth <= found.high)
        at_all_times &= found.anytime_low <= truth <= found.anytime_high
    naive = past.right[past.known]
    half = 1.96 * float(np.sqrt(naive.mean() * (1.0 - naive.mean()) / len(naive)))
    return Seen(
        inside[-1],
        truth < found.low,
        truth > found.high,
        fmean(inside),
        at_all_times,
        float(naive.mean()) - truth,
        abs(float(naive.mean()) - truth) <= half,
        found.estimate - truth,
        found.high - found.low,
        found.anytime_high - found.anytime_low,
        truth,
        float(len(naive)),
        found.covered,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Watch every scenario's streams, and report each and all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1008)
    parser.add_argument("--samples", type=int, default=2500)
    parser.add_argument("--looks", type=int, default=12)
    options = parser.parse_args(arguments)
    every: list[Seen] = []
    for number, scenario in enumerate(SCENARIOS):
        count = options.streams // len(SCENARIOS)
        found = [watch(scenario, options.samples, options.looks, number * 100_000 + seed) for seed in range(count)]
        report("coverage", {"scenario": scenario.name, "streams": count} | _means(found))
        every += found
    report("coverage", {"scenario": "all", "streams": len(every)} | _means(every))


def _means(found: Sequence[Seen]) -> dict[str, float]:
    return {name: fmean(float(getattr(seen, name)) for seen in found) for name in Seen._fields}


if __name__ == "__main__":
    main()
