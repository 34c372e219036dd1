"""BiMU: a classifier of binary synapses that learns one sample at a time and takes new classes at any moment."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from learner.noise import Purpose
from learner.synapses.bimu import PUBLISHED, BiMURule
from learner.synapses.committee import CompiledCommittee, ReferenceCommittee
from learner.synapses.draws import Draws, bank_array
from learner.synapses.fixed_point import nearest, reals, rounded
from learner.synapses.gating import GATES, Gate, Gating, gating
from learner.synapses.moment_kernels import Array
from learner.synapses.network import (
    Committee,
    Gradient,
    Layers,
    logit_scale,
    relaxed_gradient,
    sampled_gradient,
)
from learner.synapses.relaxed_kernels import relaxed_update, relaxed_updates

Form = Literal["relaxed", "sampled"]


class BiMUInfo(NamedTuple):
    """What one update did: loss in bits before it (None with fewer than two classes), mean |step| over all synapses."""

    loss_bits: float | None
    mean_step: float


def _learned(layers: tuple[Array, ...], loss_bits: float, moved: float) -> tuple[Layers, BiMUInfo]:
    return tuple(map(torch.from_numpy, layers)), BiMUInfo(loss_bits, moved / sum(lam.size for lam in layers))


@dataclass(frozen=True, slots=True)
class BiMU:
    """The network's shape, its rule and its noise; the state is the tuple of each layer's lambda.

    `BiMU.published(...)` learns as arXiv 2605.30198 does, to the letter. The default differs in three remedies:
    a constant input of size sqrt(D) (the gate is even, so without it f(x) = f(-x)), no norm on the logits
    (on two logits it is +-1 whatever the input), and local reparameterisation in place of sampled weights
    (the same learning at a fraction of the cost).

    Args:
        features: D, >= 1.
        hidden: sizes of the hidden layers, each >= 1; () is a plain linear network.
        form: "relaxed" (moments) or "sampled" (weights, as published).
        passes: Monte Carlo passes of one update, >= 1.
        votes: S, passes of one prediction, >= 1.
        constant_input: append an input of size sqrt(D).
        normed_logits: the published norm on the logits.
        gate: "none"; "stochastic": a gate on every hidden unit that is open with a probability of the input's own;
            "sparse_code": the network sees, in place of the input, which 2 % of 4,096 random units it drives most.
        fixed_point: keep lambda in 16 bits, in steps of 2^-12 within +-8, rounded at random after each update: half the
            bytes, and the same learning.
        rule: constants of the update.
        seed: key of all noise, 0 … 2^64 - 1.
        dtype: torch.float32 or torch.float64.
        device: where the tensors live, "cpu" or as torch names it.

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> network = BiMU(features=2, hidden=(16,), seed=1)
        >>> layers = network.grow(network.start(0), 2)
        >>> x, y = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]), torch.tensor([0, 1])
        >>> for step in range(100):
        ...     layers, info = network.learn(layers, x[step % 2][None], y[step % 2][None], counter=step)
        >>> network.committee(layers).logits(x).mean(0).argmax(-1).tolist()
        [0, 1]
    """

    features: int
    hidden: tuple[int, ...] = (256,)
    form: Form = "relaxed"
    passes: int = 1
    votes: int = 10
    constant_input: bool = True
    normed_logits: bool = False
    gate: Gate = "none"
    fixed_point: bool = False
    rule: BiMURule = field(default_factory=BiMURule)
    seed: int = 0
    dtype: torch.dtype = torch.float32
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("features", "passes", "votes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")
        if any(size < 1 for size in self.hidden):
            raise ValueError(f"every hidden size must be >= 1, got {self.hidden}")
        if self.form not in ("relaxed", "sampled"):
            raise ValueError(f"form must be 'relaxed' or 'sampled', got {self.form!r}")
        if self.gate not in GATES:
            raise ValueError(f"gate must be one of {', '.join(GATES)}, got {self.gate!r}")
        if not isinstance(self.seed, (int, np.integer)) or not 0 <= self.seed < 2**64:
            raise ValueError(f"seed must be in 0 … 2^64 - 1, got {self.seed}")

    @classmethod
    def published(cls, features: int, hidden: tuple[int, ...] = (100,), seed: int = 0) -> BiMU:
        """Return the network of arXiv 2605.30198: sampled weights, 5 passes, no constant input, norm on the logits.

        It learns as published. It predicts by Gaussian sums in place of the paper's sampled weights.
        """
        return cls(
            features=features,
            hidden=hidden,
            form="sampled",
            passes=5,
            votes=5,
            constant_input=False,
            normed_logits=True,
            rule=BiMURule(**PUBLISHED),
            seed=seed,
        )

    @property
    def inputs(self) -> int:
        """D, or U where a sparse code stands for the input, with the constant input where there is one."""
        return self._gating.width + int(self.constant_input)

    def start(self, classes: int) -> Layers:
        """Return the state before any label: lambda uniform in +-1/sqrt(fan_in), [fan_in, fan_out] each."""
        sizes = (self.inputs, *self.hidden)
        hidden = [self._draws.starting(index, sizes[index], 0, sizes[index + 1]) for index in range(len(self.hidden))]
        return self._at_rest((*hidden, self._draws.starting(len(self.hidden), sizes[-1], 0, classes)))

    def grow(self, layers: Layers, classes: int) -> Layers:
        """Return the state with the output layer grown to `classes`; what was learned stays as it is.

        A column's start depends on its own index alone: classes named up front and classes added later start equal.
        """
        output = layers[-1]
        if classes < output.shape[1]:
            raise ValueError(f"classes must be >= {output.shape[1]}, the classes already known, got {classes}")
        (new,) = self._at_rest((self._draws.starting(len(self.hidden), output.shape[0], output.shape[1], classes),))
        return (*layers[:-1], torch.cat([output, new.to(output.device)], dim=1))

    def learn(
        self,
        layers: Layers,
        x: Tensor,
        y: Tensor,
        *,
        counter: int,
        weights: Tensor | None = None,
    ) -> tuple[Layers, BiMUInfo]:
        """Return the state after one update on inputs x [B, D] with class indices y [B].

        Noise is keyed by (seed, counter). With fewer than two classes there is nothing to tell apart: no update.

        Args:
            layers: the state, left as it is.
            x: inputs [B, D], finite.
            y: class indices [B], 0 … C - 1.
            counter: number of the update, 0 … 2^64 - 1.
            weights: weight of each input in the loss [B], >= 0; all 1 where not given.

        Raises:
            ValueError: where inputs, classes and weights do not fit each other or the network, or the state is one of
                another kind of synapses.
        """
        self._fit(x, y, weights, layers[-1].shape[1])
        if layers[-1].shape[1] < 2:
            return layers, BiMUInfo(None, 0.0)
        if self.compiled:
            return self._learn_compiled(layers, x, y, weights, counter)
        before, gradient = self.real(layers), self.gradient(layers, x, y, counter=counter, weights=weights)
        steps = [
            self.rule.delta(lam, grad, counter=counter) for lam, grad in zip(before, gradient.by_layer, strict=True)
        ]
        moved = math.fsum(float(step.abs().sum(dtype=torch.float64)) for step in steps)
        learned = tuple(lam + step for lam, step in zip(before, steps, strict=True))
        return self._kept(learned, counter), BiMUInfo(gradient.loss_bits, moved / sum(lam.numel() for lam in layers))

    def learn_each(self, layers: Layers, x: Tensor, y: Tensor, *, counter: int) -> tuple[Layers, BiMUInfo]:
        """Return the state after one update for each of B inputs in turn: that of B calls of `learn`, to the bit.

        Input b has the noise of counter + b. Without the interpreter between them, updates of a small network take
        about three quarters of the time.

        Args:
            layers: the state, left as it is.
            x: inputs [B, D], finite.
            y: class indices [B], 0 … C - 1.
            counter: number of the first update, 0 … 2^64 - B.

        Returns:
            The state, and the mean of the updates' infos.

        Raises:
            ValueError: where inputs and classes do not fit each other or the network.

        Example:
            >>> network = BiMU(features=2, hidden=(4,), seed=1)
            >>> first = network.grow(network.start(0), 2)
            >>> x, y = torch.eye(2), torch.tensor([0, 1])
            >>> together, _ = network.learn_each(first, x, y, counter=1)
            >>> one, _ = network.learn(first, x[:1], y[:1], counter=1)
            >>> both, _ = network.learn(one, x[1:], y[1:], counter=2)
            >>> all(torch.equal(*pair) for pair in zip(together, both, strict=True))
            True
        """
        self._fit(x, y, None, layers[-1].shape[1])
        if layers[-1].shape[1] < 2 or not len(y):
            return layers, BiMUInfo(None, 0.0)
        if self.fixed_point or not (self.compiled and self.passes == 1):
            infos = []
            for b in range(len(y)):
                layers, info = self.learn(layers, x[b : b + 1], y[b : b + 1], counter=counter + b)
                infos.append(info)
            losses, steps = [info.loss_bits or 0.0 for info in infos], [info.mean_step for info in infos]
            return layers, BiMUInfo(math.fsum(losses) / len(y), math.fsum(steps) / len(y))
        before = tuple(lam.numpy() for lam in self.real(layers))
        learned, spare = tuple(map(np.empty_like, before)), tuple(map(np.empty_like, before))
        inputs, rule = self.augment_array(x.numpy()), self.rule.constants()
        loss, moved = relaxed_updates(before, inputs, y.numpy(), self._key(counter), rule, self.scale, learned, spare)
        return _learned(learned, loss / len(y), moved / len(y))

    def gradient(
        self, layers: Layers, x: Tensor, y: Tensor, *, counter: int, weights: Tensor | None = None
    ) -> Gradient:
        """Return the gradient that `learn` would follow, by the reference in torch."""
        layers, y = self.real(layers), y.to(self.device)
        inputs, engrams = self.augment(x), self._gating.learning(x, passes=self.passes, counter=counter)
        if self.form == "sampled":
            noise = tuple(
                self._draws.of_weights(counter, lane, lam.shape, self.passes) for lane, lam in enumerate(layers)
            )
            return sampled_gradient(
                layers, inputs, y, noise, normed_logits=self.normed_logits, weights=weights, engrams=engrams
            )
        noise = tuple(
            self._draws.of_units(counter, lane, (self.passes, len(x), lam.shape[1])) for lane, lam in enumerate(layers)
        )
        return relaxed_gradient(
            layers, inputs, y, noise, normed_logits=self.normed_logits, weights=weights, engrams=engrams
        )

    def committee(self, layers: Layers) -> CompiledCommittee | ReferenceCommittee:
        """Return the read-only scorer of this state; its noise bank depends on the seed alone."""
        layers = self.real(layers)
        if not self.compiled:
            bank = tuple(self._draws.bank(lane, lam.shape[1], self.votes) for lane, lam in enumerate(layers))
            one = partial(self._gating.scoring, votes=self.votes)
            committee = Committee(layers, bank, normed_logits=self.normed_logits, engrams=one)
            return ReferenceCommittee(self.augment, committee)
        arrays = tuple(lam.numpy() for lam in layers)
        return CompiledCommittee(self.augment_array, arrays, self.bank(arrays), self.scale)

    @property
    def compiled(self) -> bool:
        """Whether the compiled kernels serve this network: relaxed, in float32, on a CPU, without stochastic gates."""
        relaxed = self.form == "relaxed" and self._gating.opening is None
        return relaxed and self.dtype == torch.float32 and self.device == "cpu"

    @property
    def scale(self) -> float:
        """The scale of the logits; 0 means the norm on them."""
        fan_in = self.hidden[-1] if self.hidden else self.inputs
        return 0.0 if self.normed_logits else logit_scale(fan_in)

    def bank(self, layers: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return the noise by which a committee scores, [S, fan_out] for each layer; it depends on the seed alone."""
        return tuple(bank_array(self.seed, lane, lam.shape[1], self.votes) for lane, lam in enumerate(layers))

    def real(self, layers: Layers) -> Layers:
        """Return lambda as the rule and the scorer take it, in the network's dtype and on its device.

        Raises:
            ValueError: where the state is of 16 bits and the network is not, or the other way round.
        """
        if (layers[-1].dtype == torch.int16) != self.fixed_point:
            kept = "in floating point" if self.fixed_point else "in 16 bits"
            raise ValueError(f"fixed_point must be {not self.fixed_point} for this state, whose synapses are {kept}")
        if self.fixed_point:
            layers = tuple(lam.to(self.dtype) for lam in reals(layers))
        return layers if self.device == "cpu" else tuple(lam.to(self.device) for lam in layers)

    def augment(self, x: Tensor) -> Tensor:
        """Return inputs [B, D] in the network's dtype, with the constant input where there is one."""
        if x.dim() != 2 or x.shape[1] != self.features:
            raise ValueError(f"x must be [B, {self.features}], got {tuple(x.shape)}")
        x = self._gating.seen(x).to(dtype=self.dtype, device=self.device)
        if not self.constant_input:
            return x
        return torch.cat([x, x.new_full((len(x), 1), self._gating.constant)], dim=1)

    def augment_array(self, x: Array) -> Array:
        """Return the same as `augment`, of an array."""
        if x.ndim != 2 or x.shape[1] != self.features:
            raise ValueError(f"x must be [B, {self.features}], got {x.shape}")
        gates = self._gating
        seen = gates.seen_array(x)
        if not self.constant_input:
            return np.ascontiguousarray(seen, np.float32)
        out = np.empty((len(x), gates.width + 1), np.float32)
        out[:, :-1], out[:, -1] = seen, gates.constant
        return out

    @property
    def _draws(self) -> Draws:
        return Draws(self.seed, self.dtype, self.device)

    @property
    def _gating(self) -> Gating:
        return gating(self.gate, self.features, self.hidden, self.seed)

    def _learn_compiled(
        self, layers: Layers, x: Tensor, y: Tensor, weights: Tensor | None, counter: int
    ) -> tuple[Layers, BiMUInfo]:
        inputs, labels = self.augment_array(x.numpy()), y.numpy()
        each = np.ones(len(labels), np.float32) if weights is None else weights.numpy().astype(np.float32)
        if self.passes > 1:
            inputs, labels = np.tile(inputs, (self.passes, 1)), np.tile(labels, self.passes)
            each = np.tile(each / np.float32(self.passes), self.passes)
        before = tuple(lam.numpy() for lam in self.real(layers))
        learned, rule = tuple(map(np.empty_like, before)), self.rule.constants()
        loss, moved = relaxed_update(before, inputs, labels, each, self._key(counter), rule, self.scale, learned)
        after, info = _learned(learned, loss, moved)
        return self._kept(after, counter), info

    def _fit(self, x: Tensor, y: Tensor, weights: Tensor | None, classes: int) -> None:
        """Refuse what a kernel would read beyond its end."""
        rows = x.shape
        if len(rows) != 2 or rows[1] != self.features:
            raise ValueError(f"x must be [B, {self.features}], got {tuple(rows)}")
        if y.shape != rows[:1]:
            raise ValueError(f"y must be [{rows[0]}], a class index for each input, got {tuple(y.shape)}")
        labels = y.tolist()
        if labels and not 0 <= min(labels) <= max(labels) < classes:
            raise ValueError(f"y must be in 0 … {classes - 1}, got {min(labels) if min(labels) < 0 else max(labels)}")
        if weights is not None and (weights.shape != rows[:1] or not bool((weights >= 0.0).all())):
            raise ValueError(f"weights must be [{len(x)}], each >= 0, got {weights.tolist()}")

    def _at_rest(self, layers: Layers) -> Layers:
        """Return lambda before any label as it is kept."""
        return tuple(map(nearest, layers)) if self.fixed_point else layers

    def _kept(self, layers: Layers, counter: int) -> Layers:
        """Return lambda after an update as it is kept."""
        if not self.fixed_point:
            return layers
        return tuple(rounded(lam, seed=self.seed, counter=counter, lane=lane) for lane, lam in enumerate(layers))

    def _key(self, counter: int) -> tuple[np.uint64, np.uint64, np.uint64]:
        return np.uint64(self.seed), np.uint64(counter), np.uint64(Purpose.LEARN)
