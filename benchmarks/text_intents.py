"""BANKING77 in one pass, shuffled and in blocks of 11 classes, beside peers that learn online in the same run.

    python -m benchmarks.text_intents [--held-back] [--seeds 1] [--order shuffled|blocks|both] [--no-peers]

`--held-back` scores a fifth of the training file, left out of the stream: choices are made there, never on the test
file. Both sizes are the whole data set, so there is no `--full`. Peers, in one pass over the same order:

    multinomial_nb  naive Bayes on hashed pieces of words: no order can disturb it
    sgd_idf         a linear model by stochastic gradient descent on the same pieces, weighted by a running idf
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import MultinomialNB

from benchmarks.reporting import data_sets, report, summarise
from learner import build, warm_up

HELD_BACK = 0.2
PEER_BUCKETS = 2**15
CLASSES = 77
Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run each order with each seed and report the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held-back", action="store_true")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--order", choices=("shuffled", "blocks", "both"), default="both")
    parser.add_argument("--dim", type=int, default=8192)
    parser.add_argument("--hidden", type=int, nargs="*", default=[256])
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warm_up()
    orders, results = ("shuffled", "blocks") if options.order == "both" else (options.order,), []
    for order in orders:
        for seed in range(options.seeds):
            stream, rest = split(order, seed, held_back=options.held_back)
            found = engram(stream, rest, seed, options.dim, tuple(options.hidden))
            if not options.no_peers:
                found |= peers(stream, rest)
            results.append({"order": order, "seed": seed, "held_back": options.held_back} | found)
            report("text_intents", results[-1])
    summarise("text_intents", results, by=("order", "held_back"))


def split(order: str, seed: int, *, held_back: bool) -> tuple[list[Row], list[Row]]:
    """Return the stream in its order, and what is scored at its end."""
    rows, draw = read("banking77_train"), np.random.Generator(np.random.Philox(seed))
    shuffled = [rows[index] for index in draw.permutation(len(rows))]
    left_out = round(HELD_BACK * len(rows))
    rest, stream = (shuffled[:left_out], shuffled[left_out:]) if held_back else (read("banking77_test"), shuffled)
    if order == "blocks":
        rank = draw.permutation(CLASSES)
        stream = sorted(stream, key=lambda row: int(rank[row["label"]]) // 11)
    return stream, rest


def read(name: str) -> list[Row]:
    """Return the rows of one file."""
    with gzip.open(Path(data_sets()) / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def engram(
    stream: Sequence[Row], rest: Sequence[Row], seed: int, dim: int, hidden: tuple[int, ...]
) -> dict[str, float]:
    """Return accuracy at the end, and milliseconds for each label."""
    learner = build({"kind": "text", "dim": dim}, seed=seed, hidden=hidden)
    state, begin = learner.start(), time.process_time()
    for seq, row in enumerate(stream, 1):
        state, _ = learner.learn(state, row["text"], row["intent"], seq=seq)
    spent = time.process_time() - begin
    said = learner.scorer(state).predict_many([row["text"] for row in rest])
    hits = [one is not None and one.label == row["intent"] for one, row in zip(said, rest, strict=True)]
    return {"engram": float(np.mean(hits)), "ms_per_label": 1000.0 * spent / len(stream)}


def peers(stream: Sequence[Row], rest: Sequence[Row]) -> dict[str, float]:
    """Return the accuracy of stochastic gradient descent with a running idf, and of multinomial naive Bayes."""
    terms = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=PEER_BUCKETS, norm=None)
    counted = terms.set_params(alternate_sign=False).transform([row["text"] for row in stream])
    ahead = terms.transform([row["text"] for row in rest])
    labels, wanted = np.array([row["label"] for row in stream]), np.array([row["label"] for row in rest])
    bayes, descent, frequency = MultinomialNB(alpha=0.03), SGDClassifier(alpha=1e-5), np.zeros(PEER_BUCKETS)
    for first in range(0, len(labels), 8):
        part, of = counted[first : first + 8], labels[first : first + 8]
        frequency += np.asarray((part > 0).sum(axis=0)).ravel()
        descent.partial_fit(weighted(part, frequency, first + 8), of, classes=np.arange(CLASSES))
    for part, of in batches(counted, labels):
        bayes.partial_fit(part, of, classes=np.arange(CLASSES))
    guessed = descent.predict(weighted(ahead, frequency, len(labels)))
    return {"sgd_idf": float((guessed == wanted).mean()), "multinomial_nb": float(bayes.score(ahead, wanted))}


def batches(counted: csr_matrix, labels: NDArray[np.int64]) -> Iterator[tuple[csr_matrix, NDArray[np.int64]]]:
    """Yield parts of 256 rows: sums do not depend on how they are cut."""
    for first in range(0, len(labels), 256):
        yield counted[first : first + 256], labels[first : first + 256]


def weighted(counted: csr_matrix, frequency: NDArray[np.float64], seen: int) -> csr_matrix:
    """Return the counts times their rarity, each row scaled to length 1."""
    rarity = 1.0 + np.log((seen + 1.0) / (frequency + 1.0))
    weights = counted.multiply(rarity).tocsr()
    norms = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    return csr_matrix(weights.multiply(1.0 / np.maximum(norms, 1e-9)[:, None]))


if __name__ == "__main__":
    main()
