"""How many labels MNIST needs: accuracy by budget, asking as the service does, and asking blindly.

    python -m benchmarks.label_curve [--seeds 1] [--full]

By default 10,000 samples and 2,000 of the test file; `--full`: all of them. Answers come at once.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.images import Images, images
from benchmarks.reporting import report
from learner import OnlineLearner, Prediction, build
from learner.asking.budget import Budget
from learner.noise import Purpose, uniform

SOURCE = {"kind": "image", "width": 28, "height": 28, "channels": 1}
WARM_UP, EXPLORATION = 20, 0.1


def main() -> None:
    """Run every budget with each seed, uncertain and at random."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--budgets", type=float, nargs="*", default=[0.03, 0.05, 0.1])
    options = parser.parse_args()
    data = images("mnist", *((60_000, 10_000) if options.full else (10_000, 2_000)))
    for seed in range(options.seeds):
        for budget in (*options.budgets, 1.0):
            for strategy in ("variation_ratio", "random") if budget < 1.0 else ("all",):
                accuracy, labels = run(data, seed, strategy, budget)
                told = {"seed": seed, "strategy": strategy, "budget": budget, "samples": len(data.y)}
                report("label_curve", told | {"labels_share": labels / len(data.y), "accuracy": accuracy})


def run(data: Images, seed: int, strategy: str, budget: float) -> tuple[float, int]:
    """Return the accuracy at the end and how many labels were bought."""
    learner = build(SOURCE, seed=seed)
    state, spending, labels = learner.start(), Budget(), 0
    for ordinal, index in enumerate(np.random.Generator(np.random.Philox(seed)).permutation(len(data.y)), 1):
        coin = float(uniform(seed, ordinal, Purpose.ASK, 1)[0])
        if strategy != "variation_ratio":
            asked = coin < budget or labels < WARM_UP
        else:
            said = learner.scorer(state).predict(data.x[index])
            asked, spending = asks(learner, said, spending, budget, coin, labels)
        if asked:
            labels += 1
            state, _ = learner.learn(state, data.x[index], str(data.y[index]), seq=labels)
    said_of = learner.scorer(state).predict_many(list(data.x_test))
    hits = [one is not None and one.label == str(y) for one, y in zip(said_of, data.y_test, strict=True)]
    return float(np.mean(hits)), labels


def asks(
    learner: OnlineLearner, said: Prediction | None, spending: Budget, budget: float, coin: float, labels: int
) -> tuple[bool, Budget]:
    """Return whether to ask, and where spending stands then: everything first, then within the budget."""
    if said is None or labels < WARM_UP:
        return True, spending
    exploration = EXPLORATION * budget
    wanted = learner.decide(
        said, strategy="variation_ratio", threshold=spending.threshold, exploration=exploration, coin=coin
    ).ask
    asked = wanted and spending.affords(budget)
    return asked, spending.after(wanted=wanted, asked=asked, share=budget)


if __name__ == "__main__":
    main()
