"""What a stream of pictures is put before: a network alone, a whole learner, and a peer, behind one interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier

from learner import BiMU, OnlineLearner, uncertainty
from learner.encoders import ImageEncoder
from learner.memory.mixture import GenerativeMemory

TOGETHER = 1_000
"""Rows that are handed over at once; each is an update of its own, and nothing learned depends on it."""


class Views(NamedTuple):
    """What is said of N inputs: classes [N], and scores that should be higher where an input is strange, [N] each."""

    classes: NDArray[np.int64]
    strange: dict[str, NDArray[np.float64]]


class Contender(Protocol):
    """One that learns rows of pixels [D] and scales them in its own way."""

    def learn(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """Learn rows [N, D] of 0 … 255 in their order."""

    def view(self, pixels: NDArray[np.uint8]) -> Views:
        """Return what is said of rows [N, D]."""


@dataclass
class Network:
    """A `BiMU` on pixels standardised by fixed numbers."""

    network: BiMU
    mean: float
    deviation: float
    classes: int

    def __post_init__(self) -> None:
        self.layers = self.network.grow(self.network.start(0), self.classes)
        self.counter = 0

    def learn(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """Learn rows [N, D] of 0 … 255 in their order."""
        for first in range(0, len(labels), TOGETHER):
            rows, of = self._scaled(pixels[first : first + TOGETHER]), labels[first : first + TOGETHER]
            self.layers, _ = self.network.learn_each(self.layers, rows, torch.from_numpy(of), counter=self.counter + 1)
            self.counter += len(of)

    def view(self, pixels: NDArray[np.uint8]) -> Views:
        """Return what is said of rows [N, D]."""
        logits = torch.as_tensor(self.network.committee(self.layers).logits(self._scaled(pixels)))
        said = uncertainty(logits.double())
        strange = {"predictive": said.predictive_entropy, "epistemic": said.epistemic, "aleatoric": said.aleatoric}
        strange = {name: scores.numpy() for name, scores in strange.items()}
        return Views(said.mean_probabilities.argmax(dim=-1).numpy(), strange)

    def _scaled(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        by_value = ((np.arange(256) - self.mean) / self.deviation).astype(np.float32)
        return torch.from_numpy(by_value[pixels])


@dataclass
class Familiar:
    """A `Network` that says the classes, and a memory beside it by which strangers are told."""

    network: Network
    encoder: ImageEncoder
    memory: GenerativeMemory

    def __post_init__(self) -> None:
        self.state = self.memory.start(self.network.classes)

    def learn(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """Learn rows [N, D] of 0 … 255 in their order."""
        for first in range(0, len(labels), TOGETHER):
            rows, of = pixels[first : first + TOGETHER], labels[first : first + TOGETHER]
            self.state = self.memory.learn_each(self.state, self._codes(rows), of, counter=self.network.counter + 1)
            self.network.learn(rows, of)

    def view(self, pixels: NDArray[np.uint8]) -> Views:
        """Return what is said of rows [N, D]; strange is also what no class is likely to show."""
        said = self.network.view(pixels)
        likely = self.memory.log_likelihoods(self.state, self._codes(pixels)).max(axis=1)
        return said._replace(strange=said.strange | {"novelty": -likely})

    def _codes(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return self.encoder.code_many(self.encoder.encode_many((), pixels))


@dataclass
class Learner:
    """A learner as a stream of images has it."""

    learner: OnlineLearner
    shape: tuple[int, ...]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        self.state = self.learner.start(self.classes)

    def learn(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """Learn rows [N, D] of 0 … 255 in their order."""
        for row, label in zip(pixels, labels, strict=True):
            seq = self.state.seq + 1
            self.state, _ = self.learner.learn(self.state, row.reshape(self.shape), str(label), seq=seq)

    def view(self, pixels: NDArray[np.uint8]) -> Views:
        """Return what is said of rows [N, D]."""
        many = self.learner.scorer(self.state).predict_many([row.reshape(self.shape) for row in pixels])
        said = [one for one in many if one is not None]
        strange = {
            "predictive": np.array([one.predictive_entropy for one in said]),
            "epistemic": np.array([one.epistemic for one in said]),
        }
        if self.state.memory is not None:
            strange["novelty"] = np.array([one.novelty for one in said])
        return Views(np.array([int(one.label) for one in said]), strange)


@dataclass
class Descent:
    """A linear model by stochastic gradient descent."""

    classes: int
    seed: int

    def __post_init__(self) -> None:
        self.model = SGDClassifier(loss="log_loss", random_state=self.seed)

    def learn(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """Learn rows [N, D] of 0 … 255 in their order."""
        for first in range(0, len(labels), 10):
            part = slice(first, first + 10)
            self.model.partial_fit(pixels[part] / 255.0, labels[part], classes=np.arange(self.classes))

    def view(self, pixels: NDArray[np.uint8]) -> Views:
        """Return what is said of rows [N, D]."""
        p = np.maximum(self.model.predict_proba(pixels / 255.0), 1e-12)
        return Views(p.argmax(axis=1), {"predictive": -(p * np.log2(p)).sum(axis=1)})
