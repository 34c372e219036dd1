"""engramBNN: a metaplastic binarised network with a stochastic gate on every hidden layer, as published.

    h_0 = x;  h_l = G_l * sign(scale_l norm(h_{l-1} sign(W_l)) + shift_l);  logits = norm(h_L sign(W_o))

norm is a batch norm. G_l is 1 with probability sigmoid(e V_l + c_l), else 0, where e is an encoder of rectified units,
D -> 512 -> 128 -> 64, that all layers share; it is trained along with the rest. Signs and gates pass gradients straight
through: a sign as if its argument were cut to +-1, a gate as if it were its probability.

It learns from batches and knows how many classes there will be, which the learner of a stream does not: it is here so
that the published result can be reproduced and taken apart.

Shapes: B batch, D features, H hidden, C classes. Source: arXiv 2503.21436, on the network of arXiv 2003.03533.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from learner.noise import Purpose, uniform
from learner.synapses.engram_gate import ENCODER_SIZES
from learner.synapses.gating import Gate, gating
from learner.synapses.metaplastic import Moments, adam_step

Weights = Mapping[str, Tensor]
Norm = tuple[Tensor, Tensor]
Norms = tuple[Norm, ...]

_NORM_EPSILON, _NORM_RATE = 1e-5, 0.1


class EngramBNNState(NamedTuple):
    """Weights by name, their moments, running mean and variance of each batch norm, and steps taken."""

    weights: Weights
    moments: Mapping[str, Moments]
    norms: Norms
    steps: int


@dataclass(frozen=True, slots=True)
class EngramBNN:
    """The published network's shape, rule and noise; the state is apart.

    Args:
        features: D, >= 1.
        classes: C, >= 2.
        hidden: sizes of the hidden layers, each >= 1.
        gate: "stochastic" as published, "none" for the metaplastic network without gates, "sparse_code" for a fixed
            sparse code in place of the input.
        metaplasticity: m >= 0; published 5 for ten digits, 175 for photographs of objects.
        real_readout: logits = h_L W_o with real weights and no norm, in place of sign(W_o) behind a norm.
        present_only: take the softmax of the loss over the classes of the batch at hand, not over all.
        lr: step size of Adam, > 0.
        seed: key of all noise, 0 … 2^64 - 1.

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> network = EngramBNN(features=2, classes=2, hidden=(64,), lr=0.01, seed=1)
        >>> x, y = torch.tensor([[1.0, 0.0], [0.0, 1.0]] * 8), torch.tensor([0, 1] * 8)
        >>> state = network.start()
        >>> for _ in range(100):
        ...     state, loss = network.learn(state, x, y)
        >>> network.logits(state, x[:2]).argmax(-1).tolist()
        [0, 1]
    """

    features: int
    classes: int
    hidden: tuple[int, ...] = (512,)
    gate: Gate = "stochastic"
    metaplasticity: float = 5.0
    real_readout: bool = False
    present_only: bool = False
    lr: float = 0.005
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("features", 1), ("classes", 2), ("metaplasticity", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be >= {least}, got {getattr(self, name)}")
        if any(size < 1 for size in self.hidden):
            raise ValueError(f"every hidden size must be >= 1, got {self.hidden}")
        if not self.lr > 0.0:
            raise ValueError(f"lr must be > 0, got {self.lr}")
        gating(self.gate, self.features, self.hidden, self.seed)

    def start(self) -> EngramBNNState:
        """Return the state before any batch: weights uniform in +-1/sqrt(fan_in), shifts 0, scales 1."""
        weights = {name: self._drawn(lane, *shape) for lane, (name, shape) in enumerate(self._matrices().items())}
        for layer, size in enumerate(self.hidden):
            weights |= {f"scale {layer}": torch.ones(size), f"shift {layer}": torch.zeros(size)}
        for name, (_, size) in self._matrices().items():
            if name.startswith(("encoder", "gate")):
                weights[f"{name} shift"] = torch.zeros(size)
        moments = {name: Moments(torch.zeros_like(w), torch.zeros_like(w)) for name, w in weights.items()}
        norms = tuple((torch.zeros(size), torch.ones(size)) for size in (*self.hidden, self.classes))
        return EngramBNNState(weights, moments, norms, 0)

    def learn(self, state: EngramBNNState, x: Tensor, y: Tensor) -> tuple[EngramBNNState, float]:
        """Return the state after one batch x [B, D] with class indices y [B], B >= 2, and its mean loss in nats.

        Raises:
            ValueError: where the batch has fewer than two inputs, which no batch norm can tell apart.
        """
        if len(x) < 2:
            raise ValueError(f"a batch must hold at least 2 inputs, got {len(x)}")
        number = state.steps + 1
        tracked = {name: weight.clone().requires_grad_() for name, weight in state.weights.items()}
        logits, norms = self._forward(tracked, state.norms, x, learning=number)
        if self.present_only:
            absent = torch.ones(self.classes, dtype=torch.bool).index_fill(0, y, value=False)
            logits = logits.masked_fill(absent, -math.inf)
        loss = torch.nn.functional.cross_entropy(logits, y)
        weights, moments = {}, {}
        for (name, weight), grad in zip(
            state.weights.items(), torch.autograd.grad(loss, list(tracked.values())), strict=True
        ):
            m = self.metaplasticity if name.startswith("binary") else 0.0
            weights[name], moments[name] = adam_step(
                weight, grad, state.moments[name], number=number, lr=self.lr, metaplasticity=m
            )
        return EngramBNNState(weights, moments, norms, number), float(loss.detach())

    def logits(self, state: EngramBNNState, x: Tensor) -> Tensor:
        """Return the logits [B, C] of inputs x [B, D]: running moments in the norms, one fixed draw of the gates."""
        with torch.no_grad():
            return self._forward(state.weights, state.norms, x, learning=None)[0]

    def _forward(self, weights: Weights, norms: Norms, x: Tensor, *, learning: int | None) -> tuple[Tensor, Norms]:
        h, encoded = gating(self.gate, self.features, self.hidden, self.seed).seen(x), self._encoded(weights, x)
        moved: list[Norm] = []
        for layer, running in enumerate(norms):
            if layer == len(self.hidden) and self.real_readout:
                return h @ weights["readout"], (*moved, running)
            z, now = _batch_norm(h @ _sign(weights[f"binary {layer}"]), running, learning=learning is not None)
            moved.append(now)
            if layer < len(self.hidden):
                h = _sign((z * weights[f"scale {layer}"] + weights[f"shift {layer}"]).clamp(-1.0, 1.0))
                h = h * self._opened(weights, encoded, layer, learning)
        return z, tuple(moved)

    def _encoded(self, weights: Weights, x: Tensor) -> Tensor:
        if self.gate == "stochastic":
            for layer in range(len(ENCODER_SIZES)):
                x = torch.relu(x @ weights[f"encoder {layer}"] + weights[f"encoder {layer} shift"])
        return x

    def _opened(self, weights: Weights, encoded: Tensor, layer: int, learning: int | None) -> Tensor:
        """Return the gates [B, H] of one layer, 0 or 1, with their probabilities' slope; 1 where there are none."""
        if self.gate != "stochastic":
            return torch.ones(())
        p = torch.sigmoid(encoded @ weights[f"gate {layer}"] + weights[f"gate {layer} shift"])
        purpose, counter = (Purpose.GATE_SCORE, 0) if learning is None else (Purpose.GATE_LEARN, learning)
        u = torch.from_numpy(uniform(self.seed, counter, purpose, p.numel(), lane=layer)).reshape(p.shape)
        return (u < p.detach()).to(p.dtype) + (p - p.detach())

    def _matrices(self) -> dict[str, tuple[int, int]]:
        """Return [fan_in, fan_out] of every matrix by name; the binary ones are those that metaplasticity holds."""
        inputs = gating(self.gate, self.features, self.hidden, self.seed).width
        sizes = pairwise((inputs, *self.hidden, self.classes))
        shapes = {f"binary {layer}": size for layer, size in enumerate(sizes)}
        if self.real_readout:
            shapes["readout"] = shapes.pop(f"binary {len(self.hidden)}")
        if self.gate == "stochastic":
            encoder = pairwise((self.features, *ENCODER_SIZES))
            shapes |= {f"encoder {layer}": size for layer, size in enumerate(encoder)}
            shapes |= {f"gate {layer}": (ENCODER_SIZES[-1], size) for layer, size in enumerate(self.hidden)}
        return shapes

    def _drawn(self, lane: int, fan_in: int, fan_out: int) -> Tensor:
        drawn = torch.from_numpy(uniform(self.seed, 0, Purpose.START, fan_in * fan_out, lane=lane))
        return ((2.0 * drawn - 1.0) / math.sqrt(fan_in)).reshape(fan_in, fan_out).float()


def _sign(real: Tensor) -> Tensor:
    """Return +1 where `real` >= 0, else -1, with the slope of `real` itself."""
    return torch.where(real.detach() >= 0.0, 1.0, -1.0) + (real - real.detach())


def _batch_norm(z: Tensor, running: Norm, *, learning: bool) -> tuple[Tensor, Norm]:
    """Return z [B, H] normalised over the batch, or by the running moments, and the running moments moved."""
    mean, variance = running
    if learning:
        mean, variance = z.mean(dim=0), z.var(dim=0, unbiased=False)
        running = (running[0].lerp(mean.detach(), _NORM_RATE), running[1].lerp(variance.detach(), _NORM_RATE))
    return (z - mean) / (variance + _NORM_EPSILON).sqrt(), running
