"""Synapses of 16 bits: lambda in whole steps of 2^-12 within +-8, rounded at random so that the mean stays right.

A step is far coarser than what one update moves most synapses by, so that rounding to the nearest would lose nearly all
of it. Rounded at random, up with the probability of what lies above the step below, lambda moves by the update in the
mean, and what the rounding adds averages out as every other noise does.

Beyond +-8 there is nothing to know: tanh 8 = 1 - 2.3e-7.

Source: stochastic rounding, Gupta et al., *Deep learning with limited numerical precision*, arXiv 1502.02551.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from learner.noise import Purpose
from learner.synapses.fixed_point_kernels import MOST, PER_UNIT, fill_rounded
from learner.synapses.network import Layers

UNIT = 1.0 / PER_UNIT
"""One step of lambda."""


def nearest(lam: Tensor) -> Tensor:
    """Return lambda in whole steps, each the nearest, int16 and shaped like lambda; what is beyond +-8 is at the end.

    Example:
        >>> nearest(torch.tensor([0.5, -0.0001, 99.0])).tolist()
        [2048, 0, 32767]
    """
    return (lam.double() * PER_UNIT).round().clamp(-MOST, MOST).to(torch.int16)


def rounded(lam: Tensor, *, seed: int, counter: int, lane: int) -> Tensor:
    """Return lambda in whole steps, rounded at random, int16 and shaped like lambda.

    floor(lambda 2^12 + u) with u uniform in [0, 1), to 2^-16 of a step; what is a whole step stays.

    Args:
        lam: lambda of one layer, any floating type.
        seed: key of the draws, 0 … 2^64 - 1.
        counter: number of the update, 0 … 2^64 - 1.
        lane: the layer's number.

    Source:
        arXiv 1502.02551, stochastic rounding.

    Example:
        >>> few = rounded(torch.full((1000,), 0.25 * UNIT), seed=1, counter=1, lane=0)
        >>> sorted(set(few.tolist())), 200 < int(few.sum()) < 300
        ([0, 1], True)
    """
    values = np.ascontiguousarray(lam.detach().to(device="cpu", dtype=torch.float32).numpy())
    out = np.empty(values.shape, np.int16)
    key = (np.uint64(seed), np.uint64(counter), np.uint64(Purpose.ROUND), np.uint64(lane))
    fill_rounded(values.reshape(-1), key, out.reshape(-1))
    return torch.from_numpy(out).to(lam.device)


def reals(layers: Layers) -> Layers:
    """Return lambda of each layer in float32 where it is stored in steps, and as it is where not.

    Example:
        >>> reals((torch.tensor([2048], dtype=torch.int16), torch.tensor([0.3])))
        (tensor([0.5000]), tensor([0.3000]))
    """
    return tuple(lam.float().mul_(UNIT) if lam.dtype == torch.int16 else lam for lam in layers)
