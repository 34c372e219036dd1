"""A feed-forward network of binary synapses: forward pass and explicit gradients.

Each hidden layer is  z = x W,  y = layer_norm(z) (no scale, no shift),  h = 1{|y| > 1};
the gate's surrogate slope is +1 on (1/2, 3/2) and -1 on (-3/2, -1/2).
The last layer gives the logits, either layer_norm(z) as published or 2 z / sqrt(H) (no norm on the logits:
the norm of two numbers is +-1 whatever the input, so a binary task would get no gradient).

Shapes: S samples, B batch, D features, H hidden, C classes. Source: arXiv 2605.30198.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from learner.synapses.posterior import RelaxedMoments, hard_moments, relaxed_moments

_NORM_EPSILON = 1e-5
_VARIANCE_FLOOR = 1e-6

Layers = tuple[Tensor, ...]
Engrams = Callable[[Tensor], Layers]


@dataclass(frozen=True, slots=True)
class Gradient:
    """Gradient of the summed negative log-likelihood by each layer's lambda, and that loss in bits."""

    by_layer: Layers
    loss_bits: float


def layer_norm(z: Tensor) -> tuple[Tensor, Tensor]:
    """Return z normalised over its last dimension (epsilon 1e-5, no scale, no shift) and the deviation used."""
    deviation = (z.var(dim=-1, unbiased=False, keepdim=True) + _NORM_EPSILON).sqrt()
    return (z - z.mean(dim=-1, keepdim=True)) / deviation, deviation


def layer_norm_backward(grad: Tensor, y: Tensor, deviation: Tensor) -> Tensor:
    """Return the gradient by z of a loss whose gradient by y = layer_norm(z) is `grad`."""
    return (grad - grad.mean(-1, keepdim=True) - y * (grad * y).mean(-1, keepdim=True)) / deviation


def gate(y: Tensor) -> Tensor:
    """Return 1 where |y| > 1, else 0."""
    return (y.abs() > 1.0).to(y.dtype)


def gate_slope(y: Tensor) -> Tensor:
    """Return the surrogate slope of `gate`: the sign of y where 1/2 < |y| < 3/2, else 0."""
    size = y.abs()
    return torch.where((size > 0.5) & (size < 1.5), y.sign(), torch.zeros_like(y))


def logit_scale(fan_in: int) -> float:
    """Return 2/sqrt(H), the scale of logits that are not normed."""
    return 2.0 / math.sqrt(fan_in)


@dataclass(frozen=True, slots=True)
class _Relaxed:
    """A layer by local reparameterisation: z = x m + sqrt(max(x^2 v, 1e-6)) e, with the relaxed moments."""

    moments: RelaxedMoments
    noise: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        spread = ((x * x) @ self.moments.variance).clamp(min=_VARIANCE_FLOOR).sqrt()
        return x @ self.moments.mean + spread * self.noise, spread

    def backward(self, grad: Tensor, x: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
        by_variance = torch.where(
            spread * spread > _VARIANCE_FLOOR, grad * self.noise / (2.0 * spread), torch.zeros_like(spread)
        )
        flat_x, flat_grad = x.flatten(0, 1), grad.flatten(0, 1)
        by_lam = (flat_x.T @ flat_grad) * self.moments.mean_slope
        by_lam += ((flat_x * flat_x).T @ by_variance.flatten(0, 1)) * self.moments.variance_slope
        by_x = grad @ self.moments.mean.T + 2.0 * x * (by_variance @ self.moments.variance.T)
        return by_lam, by_x


@dataclass(frozen=True, slots=True)
class _Sampled:
    """A layer by relaxed weights, one set per pass: w = tanh(lambda + logit(eps)/2) = (t + u)/(1 + t u)."""

    weights: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.bmm(x, self.weights), x

    def backward(self, grad: Tensor, x: Tensor, _spread: Tensor) -> tuple[Tensor, Tensor]:
        by_weight = torch.bmm(x.transpose(1, 2), grad)
        by_lam = (by_weight * (1.0 - self.weights * self.weights)).sum(dim=0)
        return by_lam, torch.bmm(grad, self.weights.transpose(1, 2))


def relaxed_gradient(
    layers: Layers,
    x: Tensor,
    y: Tensor,
    noise: Layers,
    *,
    normed_logits: bool,
    weights: Tensor | None = None,
    engrams: Layers = (),
) -> Gradient:
    """Return the gradient by local reparameterisation with relaxed moments.

    NLL = -(1/S) sum_s sum_b log softmax(logits_sb)[y_b].

    Args:
        layers: lambda of each layer, [fan_in, fan_out].
        x: inputs [B, D].
        y: class indices [B], int64.
        noise: standard normal numbers per layer, [S, B, fan_out].
        normed_logits: the published network's norm on the logits.
        weights: weight of each input in the loss [B]; all 1 where not given.
        engrams: 0 or 1 onto the units of each hidden layer [S, B, H]; all 1 where not given.

    Returns:
        `Gradient`, each layer's shaped like its lambda.

    Example:
        >>> layers = (torch.zeros(3, 4), torch.zeros(4, 2))
        >>> noise = (torch.ones(1, 1, 4), torch.ones(1, 1, 2))
        >>> gradient = relaxed_gradient(layers, torch.ones(1, 3), torch.tensor([0]), noise, normed_logits=False)
        >>> round(gradient.loss_bits, 6)
        1.0
    """
    passes = [_Relaxed(relaxed_moments(lam), e) for lam, e in zip(layers, noise, strict=True)]
    return _gradient(passes, x, y, weights, noise[0].shape[0], normed_logits=normed_logits, engrams=engrams)


def sampled_gradient(
    layers: Layers,
    x: Tensor,
    y: Tensor,
    noise: Layers,
    *,
    normed_logits: bool,
    weights: Tensor | None = None,
    engrams: Layers = (),
) -> Gradient:
    """Return the gradient as published, with relaxed weights sampled at temperature 1.

    Args:
        layers: lambda of each layer, [fan_in, fan_out].
        x: inputs [B, D].
        y: class indices [B], int64.
        noise: numbers uniform on (-1, 1) per layer, [S, fan_in, fan_out].
        normed_logits: the published network's norm on the logits.
        weights: weight of each input in the loss [B]; all 1 where not given.
        engrams: 0 or 1 onto the units of each hidden layer [S, B, H]; all 1 where not given.

    Returns:
        `Gradient`, each layer's shaped like its lambda.

    Example:
        >>> layers = (torch.zeros(3, 2),)
        >>> noise = (torch.tensor([[[0.5, -0.5]] * 3]),)
        >>> gradient = sampled_gradient(layers, torch.ones(1, 3), torch.tensor([0]), noise, normed_logits=False)
        >>> bool(gradient.by_layer[0][0, 0] < 0)
        True
    """
    means = [lam.tanh() for lam in layers]
    passes = [_Sampled((t + u) / (1.0 + t * u)) for t, u in zip(means, noise, strict=True)]
    return _gradient(passes, x, y, weights, noise[0].shape[0], normed_logits=normed_logits, engrams=engrams)


def _gradient(
    passes: list[_Relaxed] | list[_Sampled],
    x: Tensor,
    y: Tensor,
    weights: Tensor | None,
    samples: int,
    *,
    normed_logits: bool,
    engrams: Layers,
) -> Gradient:
    inputs, spreads, normed, deviations = [x.expand(samples, *x.shape)], [], [], []
    for step in passes[:-1]:
        z, spread = step.forward(inputs[-1])
        activity, deviation = layer_norm(z)
        spreads.append(spread)
        normed.append(activity)
        deviations.append(deviation)
        inputs.append(gate(activity) * engrams[len(inputs) - 1].to(activity) if engrams else gate(activity))
    z, spread = passes[-1].forward(inputs[-1])
    spreads.append(spread)
    each = torch.ones(len(y), dtype=z.dtype, device=z.device) if weights is None else weights.to(z)
    loss, grad = _loss(z, y, each / samples, inputs[-1].shape[-1], normed_logits=normed_logits)
    by_layer: list[Tensor] = []
    for index in range(len(passes) - 1, -1, -1):
        by_lam, by_input = passes[index].backward(grad, inputs[index], spreads[index])
        by_layer.append(by_lam)
        if index > 0:
            activity = normed[index - 1]
            by_input = by_input * engrams[index - 1].to(activity) if engrams else by_input
            grad = layer_norm_backward(by_input * gate_slope(activity), activity, deviations[index - 1])
    return Gradient(tuple(reversed(by_layer)), loss / math.log(2.0))


def _loss(z: Tensor, y: Tensor, each: Tensor, fan_in: int, *, normed_logits: bool) -> tuple[float, Tensor]:
    """Return sum_b each_b NLL_b over all passes, in nats, and its gradient by z [S, B, C]."""
    scale = logit_scale(fan_in)
    logits, deviation = layer_norm(z) if normed_logits else (z * scale, z)
    log_p = torch.log_softmax(logits, dim=-1)
    loss = -(log_p[:, torch.arange(len(y)), y] * each).sum()
    grad = (log_p.exp() - torch.nn.functional.one_hot(y, z.shape[-1])) * each[:, None]
    return float(loss), layer_norm_backward(grad, logits, deviation) if normed_logits else grad * scale


class Committee:
    """A read-only view of one version of a network: S passes with hard moments and a fixed noise bank.

    z_s = x t + sqrt(max(x^2 (1 - t^2), 1e-6)) e_s. Every input is scored by itself, with the same operations in the
    same order, so its logits do not depend on what else is in the batch.

    Args:
        layers: lambda of each layer, [fan_in, fan_out].
        bank: standard normal numbers per layer, [S, fan_out].
        normed_logits: the published network's norm on the logits.
        engrams: gives 0 or 1 onto the units of each hidden layer [S, H] for one input [D]; all 1 where not given.

    Example:
        >>> committee = Committee((torch.zeros(2, 3),), (torch.ones(4, 3),), normed_logits=False)
        >>> committee.logits(torch.ones(5, 2)).shape
        torch.Size([4, 5, 3])
    """

    def __init__(self, layers: Layers, bank: Layers, *, normed_logits: bool, engrams: Engrams | None = None) -> None:
        # Rows are outputs: one input is then a contiguous matrix-vector product.
        self._moments = [tuple(moment.T.contiguous() for moment in hard_moments(lam)) for lam in layers]
        self._bank = bank
        self._engrams = engrams
        self._normed_logits = normed_logits
        self._scale = logit_scale(layers[-1].shape[0])

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits [S, B, C] of inputs [B, D]."""
        if len(x) == 0:
            return x.new_zeros((len(self._bank[0]), 0, self._bank[-1].shape[1]))
        return torch.stack([self._one(row) for row in x], dim=1)

    def _one(self, x: Tensor) -> Tensor:
        mean, variance = self._moments[0]
        spread = (variance @ (x * x)).clamp(min=_VARIANCE_FLOOR).sqrt()
        z = (mean @ x) + spread * self._bank[0]
        engrams = self._engrams(x) if self._engrams else ()
        for index, ((mean, variance), noise) in enumerate(zip(self._moments[1:], self._bank[1:], strict=True)):
            h = gate(layer_norm(z)[0])
            h = h * engrams[index].to(h) if engrams else h
            z = h @ mean.T + (h @ variance.T).clamp(min=_VARIANCE_FLOOR).sqrt() * noise
        return layer_norm(z)[0] if self._normed_logits else z * self._scale
