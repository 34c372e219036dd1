"""All random numbers of a network, each keyed by what it is for, so that equal seeds and counters give equal bits.

Shapes: S votes, fan_in inputs of a layer, units its outputs; lane is the layer's index.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner.noise import Purpose, normal, uniform
from learner.synapses.moment_kernels import Array


@lru_cache(maxsize=256)
def _bank(seed: int, lane: int, units: int, votes: int) -> NDArray[np.float64]:
    columns = [normal(seed, unit, Purpose.SCORE, votes, lane=lane) for unit in range(units)]
    return np.stack(columns, axis=1) if columns else np.zeros((votes, 0))


@lru_cache(maxsize=256)
def bank_array(seed: int, lane: int, units: int, votes: int) -> Array:
    """Return the fixed scoring noise of a layer as the compiled kernels take it, [S, units], float32."""
    return np.ascontiguousarray(_bank(seed, lane, units, votes), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Draws:
    """A network's draws as tensors.

    Args:
        seed: key of all noise, 0 … 2^64 - 1.
        dtype: of the tensors.
        device: where they live.

    Example:
        >>> draws = Draws(seed=1, dtype=torch.float64, device="cpu")
        >>> columns = draws.starting(lane=0, fan_in=4, first=0, end=3)
        >>> torch.equal(columns[:, 2:], draws.starting(lane=0, fan_in=4, first=2, end=3))
        True
    """

    seed: int
    dtype: torch.dtype
    device: str

    def starting(self, lane: int, fan_in: int, first: int, end: int) -> Tensor:
        """Return lambda before any label, uniform in +-1/sqrt(fan_in), of units `first` … `end` - 1, [fan_in, units].

        A unit's column depends on its own index alone.
        """
        columns = [uniform(self.seed, unit, Purpose.START, fan_in, lane=lane) for unit in range(first, end)]
        values = np.stack(columns, axis=1) if columns else np.zeros((fan_in, 0))
        return self._tensor((2.0 * values - 1.0) / math.sqrt(fan_in))

    def of_units(self, counter: int, lane: int, shape: tuple[int, int, int]) -> Tensor:
        """Return the normal noise of an update's units [passes, B, units]."""
        return self._tensor(normal(self.seed, counter, Purpose.LEARN, math.prod(shape), lane=lane).reshape(shape))

    def of_weights(self, counter: int, lane: int, shape: torch.Size, passes: int) -> Tensor:
        """Return the noise of an update's sampled weights, uniform in +-1, [passes, fan_in, units]."""
        values = uniform(self.seed, counter, Purpose.LEARN, passes * shape.numel(), lane=lane)
        return self._tensor((2.0 * values - 1.0).reshape(passes, *shape))

    def bank(self, lane: int, units: int, votes: int) -> Tensor:
        """Return the fixed scoring noise of a layer [S, units]; a unit's column depends on its own index alone."""
        return self._tensor(_bank(self.seed, lane, units, votes))

    def _tensor(self, values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(dtype=self.dtype, device=self.device)
