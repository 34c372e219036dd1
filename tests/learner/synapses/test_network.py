from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from learner.synapses.network import gate, gate_slope, layer_norm, logit_scale, relaxed_gradient, sampled_gradient
from learner.synapses.posterior import relaxed_moments

SHAPES = [(5, 3), (6, 8, 4), (7, 9, 8, 3)]


class Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y):
        ctx.save_for_backward(y)
        return gate(y)

    @staticmethod
    def backward(ctx, grad):
        return grad * gate_slope(ctx.saved_tensors[0])


def loss_by_autograd(
    weigh, layers: list[Tensor], x: Tensor, y: Tensor, each: Tensor, *, normed: bool, engrams: tuple[Tensor, ...]
) -> Tensor:
    h = x
    for lane, lam in enumerate(layers):
        z = weigh(lane, lam, h)
        if lane < len(layers) - 1:
            h = Gate.apply(layer_norm(z)[0]) * (engrams[lane] if engrams else 1.0)
    logits = layer_norm(z)[0] if normed else z * logit_scale(layers[-1].shape[0])
    log_p = torch.log_softmax(logits, -1)
    return -(log_p[:, torch.arange(len(y)), y].mean(0) * each).sum()


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("normed", [False, True])
@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("form", ["relaxed", "sampled"])
def test_explicit_gradients_equal_autograd_to_eight_digits(
    form: str, sizes: tuple[int, ...], normed: bool, gated: bool
):
    generator = torch.Generator().manual_seed(sum(sizes))

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    # Away from the clamp at .05, below which the slopes are those of the unclamped moments.
    layers = [lam + 0.06 * lam.sign() for lam in (draw(a, b) for a, b in itertools.pairwise(sizes))]
    x, y, each = draw(3, sizes[0]), torch.tensor([0, 1, 2]), torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    engrams = tuple((draw(2, 3, size) > 0.0).double() for size in sizes[1:-1]) if gated else ()
    if form == "relaxed":
        noise = [draw(2, 3, b) for b in sizes[1:]]

        def weigh(lane: int, lam: Tensor, h: Tensor) -> Tensor:
            moments = relaxed_moments(lam)
            spread = (h * h @ moments.variance).clamp(min=1e-6).sqrt()
            return h @ moments.mean + spread * noise[lane]

        explicit = relaxed_gradient
    else:
        noise = [torch.rand(2, *lam.shape, generator=generator, dtype=torch.float64) * 2 - 1 for lam in layers]

        def weigh(lane: int, lam: Tensor, h: Tensor) -> Tensor:
            return h @ ((lam.tanh() + noise[lane]) / (1 + lam.tanh() * noise[lane]))

        explicit = sampled_gradient
    found = explicit(tuple(layers), x, y, tuple(noise), normed_logits=normed, weights=each, engrams=engrams)
    tracked = [lam.clone().requires_grad_() for lam in layers]
    loss = loss_by_autograd(weigh, tracked, x.expand(2, *x.shape), y, each, normed=normed, engrams=engrams)
    loss.backward()
    for lam, gradient in zip(tracked, found.by_layer, strict=True):
        assert lam.grad is not None
        torch.testing.assert_close(gradient, lam.grad, rtol=1e-8, atol=1e-12)


def test_the_relaxed_moments_are_those_of_the_relaxed_weight():
    u = (torch.arange(400_000, dtype=torch.float64) + 0.5) / 200_000 - 1
    for lam in (-3.0, -0.4, 0.1, 1.5):
        weight = torch.tanh(torch.tensor(lam, dtype=torch.float64) + torch.atanh(u))
        moments = relaxed_moments(torch.tensor([lam], dtype=torch.float64))
        assert float(moments.mean) == pytest.approx(float(weight.mean()), abs=1e-5)
        assert float(moments.variance) == pytest.approx(float(weight.var(unbiased=False)), abs=1e-5)
