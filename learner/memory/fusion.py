"""Fusion: the network and a ladder of memories speak as one, each as loud as the evidence for it.

Experts are the network q and the memories r_m. Beside them speaks their pool, pool(c) ~ prod_e p_e(c)^w_e, whose
exponents w follow the slope of its own log-likelihood at every label (online convex: each single expert is among the
pools). What is said is the mixture

    p = sum_i v_i p_i,    v = (1 - n floor) softmax(L + lead) + floor,    L_i <- fade L_i + log p_i(label)

over the n voices, experts and pool, so -log p(label) exceeds no voice's own by more than log(1/v_i) <= log(1/floor).
All evidence is prequential: from what was said before the label was learned. It spans a hundred labels, over which one
expert may look better than the pool by chance, so the pool alone has a lead of some nats.

Such a record speaks of the classes that come up now. Of those that have not come up for long it knows nothing: an
expert may have forgotten them since, or shine only because they are away. So where a share `silent` of all that was
learned belongs to them, as much of the voice goes to the plain product of the network and the slowest memory, which
needs no record:

    p' = (1 - s) p + s softmax_c(log q(c) - d [c is fresh] + k log r_1(c)),    s = min(silent, 1 - floor), k = `recall`

and no voice is missed by more than log(1/(v_i (1 - s))). Fresh are the classes that need no dreams. Only of these has
the network seen anything real lately, so where dreams are much unlike what comes it takes for one of them what is not:
they count d = `freshness` nats less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.memory import fusion_kernels as kernels
from learner.memory.fusion_kernels import Reals


class FusionState(NamedTuple):
    """How loud the voices are: fading log-likelihoods [E + 1] in nats, exponents of the pool [E]."""

    evidence: Reals
    weights: Reals


@dataclass(frozen=True, slots=True)
class Fusion:
    """How fast trust moves.

    Args:
        fade: how much of the evidence is kept at each label, in [0, 1).
        floor: the least weight of a voice, in [0, .2] and at most 1/(E + 1).
        rate: step of the pool's exponents, >= 0.
        bound: the most that one label may count in such a step, in nats, > 0.
        recall: exponent of the slowest memory in the product that speaks where the record is silent, > 0.
        lead: how far ahead the pool starts, in nats, >= 0.
        freshness: how much less the network's word for a fresh class counts in that product, in nats, >= 0.

    Raises:
        ValueError: where an argument is out of its range.

    Example:
        >>> fusion = Fusion()
        >>> state = fusion.start(experts=2)
        >>> right_and_wrong = np.log([[0.9, 0.1], [0.1, 0.9]])
        >>> for _ in range(20):
        ...     state = fusion.learn(state, right_and_wrong, 0)
        >>> fusion.voices(state).round(2).tolist()
        [0.79, 0.02, 0.19]
    """

    fade: float = 0.99
    floor: float = 0.02
    rate: float = 0.02
    bound: float = 2.0
    recall: float = 3.0
    lead: float = 4.0
    freshness: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.fade < 1.0:
            raise ValueError(f"fade must be in [0, 1), got {self.fade}")
        if not 0.0 <= self.floor <= 0.2:
            raise ValueError(f"floor must be in [0, 0.2], got {self.floor}")
        if not self.rate >= 0.0:
            raise ValueError(f"rate must be >= 0, got {self.rate}")
        if not self.bound > 0.0:
            raise ValueError(f"bound must be > 0, got {self.bound}")
        if not self.recall > 0.0:
            raise ValueError(f"recall must be > 0, got {self.recall}")
        if not self.lead >= 0.0:
            raise ValueError(f"lead must be >= 0, got {self.lead}")
        if not self.freshness >= 0.0:
            raise ValueError(f"freshness must be >= 0, got {self.freshness}")

    @property
    def steps(self) -> Reals:
        """Fade, rate and bound [3], as the kernels take them."""
        return np.array([self.fade, self.rate, self.bound])

    def start(self, experts: int) -> FusionState:
        """Return the state before any label: no evidence, and the pool the network times the memories' mean.

        Raises:
            ValueError: where so many voices cannot all have `floor`.
        """
        if self.floor * (experts + 1) > 1.0:
            raise ValueError(f"floor must be <= 1/{experts + 1} with {experts} experts and a pool, got {self.floor}")
        weights = np.full(experts, 1.0 / max(1, experts - 1))
        weights[0] = 1.0
        return FusionState(np.zeros(experts + 1), weights)

    def voices(self, state: FusionState) -> Reals:
        """Return the weights of experts and pool [E + 1]; they sum to 1, none is below `floor`."""
        ahead = state.evidence.copy()
        ahead[-1] += self.lead
        weights: Reals = kernels.voice_weights(ahead, self.floor)
        return weights

    def votes(
        self,
        state: FusionState,
        network: Reals,
        remembered: Reals,
        *,
        silent: float = 0.0,
        fresh: NDArray[np.bool_] | None = None,
    ) -> Reals:
        """Return the fused probabilities of the network's votes, both [R, S, C], and the memories' log p [R, M, C].

        Args:
            state: the record.
            network: the network's votes [R, S, C].
            remembered: the memories' log probabilities [R, M, C], the slowest memory first.
            silent: the share of what was learned of which the record knows nothing, 0 … 1.
            fresh: which classes were learned lately [C]; None: all or none of them.
        """
        counting = np.ones(network.shape[2])
        if fresh is not None and self.freshness > 0.0:
            counting[fresh] = math.exp(-self.freshness)
        silence = min(silent, 1.0 - self.floor), self.recall, counting
        heard: Reals = kernels.heard(network, remembered, self.voices(state), state.weights, silence)
        return heard

    def learn(self, state: FusionState, log_p: Reals, index: int) -> FusionState:
        """Return the state after one label of class `index`, of which the experts had said log_p [E, C]."""
        evidence, weights, _ = kernels.witnessed(log_p, index, state.weights, state.evidence, self.steps)
        return FusionState(evidence, weights)
