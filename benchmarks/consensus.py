"""What several answers are worth: right labels and answers needed, by majority and weighted by reliability.

Simulated people of known reliability answer questions, three to each, in an order drawn by chance. Their reliability is
estimated on the way, from the consensus alone and with a tenth of gold.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from benchmarks.reporting import note, summarise
from learner.asking.agreement import krippendorff_alpha, percent_agreement
from learner.asking.consensus import Answer, Rule, consensus, most_probable, posterior
from learner.asking.reliability import Reliability

PEOPLE = {"alike": (0.8,) * 5, "mixed": (0.95, 0.9, 0.7, 0.6, 0.55), "one expert": (0.95, 0.55, 0.55, 0.55, 0.55)}


class Found(NamedTuple):
    """One run: share of right labels, answers per label, error of the estimated reliabilities, agreement."""

    right: float
    answers: float
    error: float
    agreement: float
    alpha: float


def run(people: tuple[float, ...], rule: Rule, *, gold: float, questions: int, classes: int, seed: int) -> Found:
    """Return what `questions` questions, each asked of up to three people, came to."""
    chance = np.random.default_rng(seed)
    known = [Reliability() for _ in people]
    names = [str(n) for n in range(classes)]
    right, asked, units = 0, 0, []
    for _ in range(questions):
        truth = str(chance.integers(classes))

        def say(who: int, truth: str = truth) -> str:
            wrong = [name for name in names if name != truth]
            return truth if chance.random() < people[who] else str(chance.choice(wrong))

        if chance.random() < gold:
            who = int(chance.integers(len(people)))
            known[who] = known[who].after(float(say(who) == truth))
        said: list[tuple[int, str]] = []
        for n, who in enumerate(int(one) for one in chance.permutation(len(people))):
            voices = [Answer(label, known[one].mean) for one, label in said]
            if consensus(rule, voices, classes, remaining=max(0, 3 - n)).final:
                break
            said.append((who, say(who)))
        voices = [Answer(label, known[one].mean) for one, label in said]
        label = consensus(rule, voices, classes).label or most_probable(voices, names)
        right += label == truth
        asked += len(said)
        units.append([answer for _, answer in said])
        chances = posterior(voices, names)
        for who, answer in said:
            known[who] = known[who].after(chances[answer])
    error = float(np.mean([abs(one.mean - true) for one, true in zip(known, people, strict=True)]))
    agreement, alpha = percent_agreement(units), krippendorff_alpha(units)
    return Found(right / questions, asked / questions, error, agreement or 0.0, alpha or 0.0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=2000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    results = []
    rules: tuple[Rule, Rule] = ("majority", "weighted")
    for people, gold, rule, seed in product(PEOPLE, (0.0, 0.1), rules, range(chosen.seeds)):
        size = {"questions": chosen.questions, "classes": chosen.classes}
        found = run(PEOPLE[people], rule, gold=gold, seed=seed, **size)
        told = {"people": people, "gold": f"{gold:.0%}", "rule": rule, "seed": seed}
        results.append(told | found._asdict())
        note("consensus", told, found._asdict())
    summarise("consensus", results, by=("people", "gold", "rule"))


if __name__ == "__main__":
    main()
