"""Who gets asked, as the service has it: everything first, then by uncertainty or at random within a budget."""

from __future__ import annotations

from dataclasses import dataclass, field

from learner.asking.policy import Demand, Policy, Standing, decide
from learner.noise import Purpose, uniform

ALL, UNCERTAIN, RANDOM = "all", "uncertain", "random"


@dataclass
class Asker:
    """Says for each sample in turn whether its label is bought, and counts.

    Args:
        strategy: `ALL`; `UNCERTAIN`: by the utility, as the service does; `RANDOM`: a coin for each sample.
        budget: labels for each sample after the warm-up, 0 … 1.
        seed: key of the coins.
    """

    strategy: str
    budget: float
    seed: int
    samples: int = 0
    labels: int = 0
    standing: Standing = field(default_factory=Standing)

    def asks(self, utility: float | None) -> bool:
        """Return whether to ask for a sample of this utility, 0 … 1; None: nothing is known of it yet."""
        self.samples += 1
        coin = float(uniform(self.seed, self.samples, Purpose.ASK, 1)[0])
        asked = self.strategy == ALL or self._asks(utility, coin)
        self.labels += asked
        return asked

    @property
    def share(self) -> float:
        """The share of the samples whose label was bought."""
        return self.labels / max(1, self.samples)

    def _asks(self, utility: float | None, coin: float) -> bool:
        policy = Policy(budget=self.budget)
        if self.strategy == RANDOM and utility is not None and self.labels >= policy.warmup_labels:
            return coin < self.budget
        demand = Demand(labels=self.labels)
        decision, self.standing = decide(policy, self.standing, utility, coin=coin, now=0, demand=demand)
        return decision.ask
