"""Whether the learner can still learn: saturation and entropy of its synapses, layer by layer."""

from __future__ import annotations

from typing import NamedTuple

from learner.synapses.fixed_point import reals
from learner.synapses.network import Layers
from learner.synapses.posterior import entropy_bits

SATURATED = 0.999
"""A synapse with |tanh lambda| above this is as good as frozen."""


class LayerHealth(NamedTuple):
    """One layer: how many synapses, which share of them is saturated, and their mean entropy in bits."""

    name: str
    synapses: int
    saturated_share: float
    mean_entropy_bits: float


def layer_health(layers: Layers) -> list[LayerHealth]:
    """Return the health of each layer, first to last; a layer without synapses yet is left out.

    Example:
        >>> import torch
        >>> layer_health((torch.zeros(3, 2),))
        [LayerHealth(name='output', synapses=6, saturated_share=0.0, mean_entropy_bits=1.0)]
    """
    names = [f"hidden {index + 1}" for index in range(len(layers) - 1)] + ["output"]
    return [
        LayerHealth(
            name=name,
            synapses=lam.numel(),
            saturated_share=float((lam.tanh().abs() > SATURATED).double().mean()),
            mean_entropy_bits=float(entropy_bits(lam).double().mean()),
        )
        for name, lam in zip(names, reals(layers), strict=True)
        if lam.numel()
    ]
