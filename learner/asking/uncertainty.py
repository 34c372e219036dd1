"""How sure a committee is, in bits."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Uncertainty(NamedTuple):
    """One row per input: entropies in bits, variation ratio in [0, 1 - 1/S], mean probabilities [B, C]."""

    predictive_entropy: Tensor
    aleatoric: Tensor
    epistemic: Tensor
    variation_ratio: Tensor
    mean_probabilities: Tensor


def uncertainty(logits: Tensor) -> Uncertainty:
    """Return how sure S Monte Carlo passes are of each of B inputs.

    With p_s = softmax(logits_s) and H the entropy in bits::

        predictive = H(mean_s p_s)     aleatoric = mean_s H(p_s)     epistemic = predictive - aleatoric
        variation ratio = 1 - share of the modal class among the S votes argmax p_s

    Args:
        logits: [S, B, C], finite, S >= 1, C >= 1.

    Returns:
        `Uncertainty`: four tensors [B] and the mean probabilities [B, C].

    Raises:
        ValueError: where `logits` is not three-dimensional or has no pass or no class.

    Source:
        Gal, *Uncertainty in deep learning*, 2016, section 3.3; Houlsby et al., arXiv 1112.5745, equation 1.

    Example:
        >>> u = uncertainty(torch.tensor([[[9.0, -9.0]], [[-9.0, 9.0]]]))
        >>> [round(float(x), 3) for x in (u.predictive_entropy, u.epistemic, u.variation_ratio)]
        [1.0, 1.0, 0.5]
    """
    if logits.dim() != 3 or logits.shape[0] == 0 or logits.shape[2] == 0:
        raise ValueError(f"logits must be [S >= 1, B, C >= 1], got {tuple(logits.shape)}")
    log_p = torch.log_softmax(logits, dim=-1)
    p = log_p.exp()
    mean = p.mean(dim=0)
    predictive = -torch.xlogy(mean, mean).sum(-1) / math.log(2.0)
    aleatoric = -(p * log_p).sum(-1).mean(dim=0) / math.log(2.0)
    votes = torch.nn.functional.one_hot(p.argmax(dim=-1), logits.shape[2]).sum(dim=0)
    ratio = 1.0 - votes.amax(dim=-1).to(logits.dtype) / logits.shape[0]
    return Uncertainty(predictive, aleatoric, (predictive - aleatoric).clamp(min=0.0), ratio, mean)
