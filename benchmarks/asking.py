"""Who gets asked, as the service has it: everything first, then by uncertainty or at random within a budget."""

from __future__ import annotations

from dataclasses import dataclass, field

from learner.asking.budget import Budget
from learner.asking.selection import decide
from learner.noise import Purpose, uniform

WARM_UP, EXPLORATION = 20, 0.1
"""Labels to begin with, and the share of the budget that is spent at random: a stream's defaults."""

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
    spending: Budget = field(default_factory=Budget)

    def asks(self, utility: float | None) -> bool:
        """Return whether to ask for a sample of this utility, 0 … 1; None: nothing is known of it yet."""
        self.samples += 1
        asked = self.strategy == ALL or utility is None or self.labels < WARM_UP or self._wants(utility)
        self.labels += asked
        return asked

    @property
    def share(self) -> float:
        """The share of the samples whose label was bought."""
        return self.labels / max(1, self.samples)

    def _wants(self, utility: float) -> bool:
        coin = float(uniform(self.seed, self.samples, Purpose.ASK, 1)[0])
        if self.strategy == RANDOM:
            return coin < self.budget
        exploration = EXPLORATION * self.budget
        wanted = decide(utility, threshold=self.spending.threshold, exploration=exploration, coin=coin).ask
        asked = wanted and self.spending.affords(self.budget)
        self.spending = self.spending.after(wanted=wanted, asked=asked, share=self.budget)
        return asked
