"""Whether confidence means how often the learner is right, before and after an online temperature, on four streams.

    python -m benchmarks.calibration [--streams digits mnist banking77 electricity] [--seed 0] [--held-back] [--table]

Everything is prequential: each prediction is made before its label is learned, and tempered by what earlier labels
fitted. `--held-back` takes other rows, on which the temperature's rate was chosen, and tries several rates.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from benchmarks import text_intents
from benchmarks.images import images
from benchmarks.reporting import data_sets, report
from learner import build
from learner.watching.calibration import brier_score, expected_calibration_error, reliability
from learner.watching.temperature import Temperature

RATES = (0.001, 0.003, 0.01, 0.03)
"""Tried on held-back rows."""


class Stream(NamedTuple):
    """What the learner takes, and samples with their labels in order."""

    source: Mapping[str, Any]
    rows: Iterator[tuple[Any, str]]


class Said(NamedTuple):
    """The probabilities of one prediction [C], and the index of its label; -1 where the class was not known yet."""

    probabilities: NDArray[np.float64]
    index: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Run each stream and report what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", nargs="+", choices=STREAMS, default=list(STREAMS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-back", action="store_true")
    parser.add_argument("--table", action="store_true", help="print the reliability tables too")
    options = parser.parse_args(arguments)
    for name in options.streams:
        said = prequential(STREAMS[name](options.seed, held_back=options.held_back), options.seed)
        for rate in RATES if options.held_back else (Temperature().rate,):
            plain = [one.probabilities for one in said]
            warm, last = tempered(said, Temperature(rate=rate))
            found = {f"{key}_before": value for key, value in measured(plain, said).items()}
            found |= {f"{key}_after": value for key, value in measured(warm, said).items()}
            first = {"stream": name, "seed": options.seed, "held_back": options.held_back, "rate": rate}
            report("calibration", first | {"predictions": len(said), "temperature": last} | found)
            if options.table:
                show(plain, warm, said)


def prequential(stream: Stream, seed: int) -> list[Said]:
    """Return what the default learner said of each sample before it learned its label."""
    learner = build(stream.source, seed=seed)
    state, said = learner.start(), []
    for seq, (x, label) in enumerate(stream.rows, 1):
        prediction = learner.scorer(state).predict(x)
        if prediction is not None:
            known = label in state.classes
            probabilities = np.array(list(prediction.probabilities.values()))
            said.append(Said(probabilities, state.classes.index(label) if known else -1))
        state, _ = learner.learn(state, x, label, seq=seq)
    return said


def tempered(said: list[Said], temperature: Temperature) -> tuple[list[NDArray[np.float64]], float]:
    """Return the probabilities, each tempered by what the labels before it fitted, and the last T."""
    state, found = temperature.start(), []
    for one in said:
        found.append(temperature.applied(state, one.probabilities))
        if one.index >= 0:
            state = temperature.learn(state, one.probabilities, one.index)
    return found, float(np.exp(state.log_temperature))


def measured(probabilities: list[NDArray[np.float64]], said: list[Said]) -> dict[str, float]:
    """Return accuracy, both errors of calibration, Brier score and, where the class was known, log-loss in bits."""
    sure, right = judged(probabilities, said)
    known = [(p, one.index) for p, one in zip(probabilities, said, strict=True) if one.index >= 0]
    padded = np.zeros((len(known), max(len(p) for p, _ in known)))
    for row, (p, _) in zip(padded, known, strict=True):
        row[: len(p)] = p
    return {
        "accuracy": float(right.mean()),
        "ece": expected_calibration_error(sure, right),
        "ece_equal_mass": expected_calibration_error(sure, right, equal_mass=True),
        "brier": brier_score(padded, [index for _, index in known]),
        "log_loss_bits": -float(np.mean([np.log2(max(p[index], 1e-12)) for p, index in known])),
    }


def judged(probabilities: list[NDArray[np.float64]], said: list[Said]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return confidence [N] and whether it was right [N]; an unknown class cannot be."""
    sure = np.array([p.max() for p in probabilities])
    return sure, np.array([int(p.argmax()) == one.index for p, one in zip(probabilities, said, strict=True)])


def show(plain: list[NDArray[np.float64]], warm: list[NDArray[np.float64]], said: list[Said]) -> None:
    """Print the reliability tables."""
    for title, probabilities in (("before", plain), ("after", warm)):
        print(f"  {title}: predictions, confidence, accuracy")
        for row in zip(*reliability(*judged(probabilities, said), bins=10), strict=True):
            print("    {:>7} {:>8.3f} {:>8.3f}".format(*row))


def digits(seed: int, *, held_back: bool) -> Stream:
    """Return scikit-learn's digits as vectors; held back: the first 600 of the order, otherwise the others."""
    x, y = load_digits(return_X_y=True)
    order = shuffled(len(x), seed)
    part = order[:600] if held_back else order[600:]
    return Stream({"kind": "vector", "dim": 64}, ((x[i].astype(np.float32), str(y[i])) for i in part))


def mnist(seed: int, *, held_back: bool) -> Stream:
    """Return the first 20,000 training images of the order; held back: 5,000 others."""
    data = images("mnist", 60_000, 1)
    order = shuffled(60_000, seed)
    part = order[20_000:25_000] if held_back else order[:20_000]
    source = {"kind": "image", "width": 28, "height": 28, "channels": 1}
    return Stream(source, ((data.x[i], str(data.y[i])) for i in part))


def banking77(seed: int, *, held_back: bool) -> Stream:
    """Return the training questions but 2,000, shuffled; held back: those."""
    stream, rest = text_intents.split("shuffled", seed, held_back=True)
    return Stream({"kind": "text"}, ((row["text"], row["intent"]) for row in (rest if held_back else stream)))


def electricity(_seed: int, *, held_back: bool) -> Stream:
    """Return the rows in order of time without the date, after the first 5,000; held back: those."""
    with gzip.open(Path(data_sets()) / "electricity.csv.gz", "rt", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))[1:]
    part = rows[:5_000] if held_back else rows[5_000:]
    return Stream({"kind": "vector", "dim": 7}, ((np.array(row[1:8], np.float32), row[8]) for row in part))


def shuffled(size: int, seed: int) -> NDArray[np.int64]:
    """Return the order of a seed."""
    return np.random.Generator(np.random.Philox(seed)).permutation(size)


STREAMS: Mapping[str, Callable[..., Stream]] = {
    "digits": digits,
    "mnist": mnist,
    "banking77": banking77,
    "electricity": electricity,
}

if __name__ == "__main__":
    main()
