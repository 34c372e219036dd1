"""The query policy whole: from what is said of a sample, and from where spending stands, to one decision. Pure.

The one place of a policy's defaults, for the service, simulations and benchmarks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from learner.asking.budget import BURST, RESERVE, Buckets, Grant
from learner.asking.rarity import UNSEEN, counted, scarcity
from learner.asking.selection import Decision, Reason, toss, wanted
from learner.asking.strategies import STRATEGIES, Unsure, predictive_entropy
from learner.asking.threshold import START, leaning, moved

SMOOTHING = 0.02
"""Weight of the newest sample in the running mean of what samples are granted."""

SCARCE, SCARCE_AND_UNSURE = 0.5, 0.3
"""How far a utility is lifted where the class hardly ever comes, and how much further where nothing is sure of it."""

LAG = 100
"""Labels not yet learned up to which the model counts as current."""


class Policy(NamedTuple):
    """When to ask.

    Attributes:
        strategy: the utility's name, one of `strategies.STRATEGIES`.
        budget: queries per sample after the warm-up, 0 … 1.
        exploration: share of the budget that is spent at random, 0 … 1.
        warmup_labels: the first labels, asked freely and outside the budget, >= 0.
        labels_per_hour, labels_per_day: further bounds, > 0; None: no such bound.
        max_open: open queries beyond which none is asked after the warm-up, >= 1.
        rarity: how much a sample counts less whose class is probably common, and more whose class hardly ever comes,
            0 … 1.
        duplicate_radius: how far from a question asked lately a sample counts as nearly the same, as a share of the
            set bits of its code (`duplicates.is_near`), 0 … 1; 0: nothing does.
        drift_exploration: how many times the exploration share is raised after a sign of drift, >= 1; 1: not at all.
        drift_samples: for how many samples it is raised, >= 1.
    """

    strategy: str = "variation_ratio"
    budget: float = 0.05
    exploration: float = 0.1
    warmup_labels: int = 20
    labels_per_hour: float | None = None
    labels_per_day: float | None = None
    max_open: int = 20_000
    rarity: float = 1.0
    duplicate_radius: float = 0.05
    drift_exploration: float = 3.0
    drift_samples: int = 1000

    def after_drift(self) -> Policy:
        """Return the policy for a while after a sign of drift: more of the same budget is spent at random.

        Example:
            >>> Policy().after_drift().exploration, Policy(exploration=0.5).after_drift().exploration
            (0.30000000000000004, 1.0)
        """
        return self._replace(exploration=min(1.0, self.exploration * self.drift_exploration))

    def utility(self, said: Unsure, predicted: Mapping[str, int] = UNSEEN) -> float:
        """Return how much an answer would teach, in [0, 1].

        ::

            (u + (1 - u) l) (1 - rarity + rarity · r)        l = rarity · g · (0.5 + 0.3 H/log2 C)

        with u the strategy's utility, r and H the prediction's rarity and entropy, and g how scarce the class predicted
        is among the samples (`asking.rarity.scarcity`). A learner that knows few samples of a class may be sure of them
        and wrong: so what is said to be of a class that hardly comes is worth asking even where no vote doubts it.

        Args:
            said: of the sample.
            predicted: the samples so far by what was predicted of them (`Standing.predicted`).

        Example:
            >>> from learner.state import Prediction
            >>> said = Prediction("b", 1.0, {"a": 0.0, "b": 1.0}, 0.0, 0.0, 0.0, 0.0, 0.0)
            >>> [round(Policy().utility(said, {"a": 380, "b": count}), 2) for count in (380, 20)]
            [0.0, 0.26]
        """
        value = STRATEGIES[self.strategy](said)
        if self.rarity == 0.0:
            return value
        scarce = scarcity(predicted, said.label, len(said.probabilities))
        if scarce > 0.0:
            value += (1.0 - value) * self.rarity * scarce * (SCARCE + SCARCE_AND_UNSURE * predictive_entropy(said))
        return value * (1.0 - self.rarity + self.rarity * said.rarity)


class Standing(NamedTuple):
    """Where a stream's spending stands: all that is kept from one sample to the next.

    Attributes:
        seen: samples that came after the warm-up.
        spent: queries asked of them, less those given back.
        free: queries asked freely, for the warm-up and while no class was known.
        threshold: before it leans, in units of utility.
        granted: running mean of what a sample is granted, in queries; None before the first.
        buckets: what may be spent now.
        predicted: samples by what was predicted of them, older ones for less (`asking.rarity.counted`).
    """

    seen: int = 0
    spent: int = 0
    free: int = 0
    threshold: float = START
    granted: float | None = None
    buckets: Buckets = Buckets()
    predicted: Mapping[str, int] = UNSEEN

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON's types.

        Example:
            >>> Standing.from_json(Standing(seen=3).to_json()) == Standing(seen=3)
            True
        """
        return {**self._asdict(), "buckets": self.buckets._asdict(), "predicted": dict(self.predicted)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Standing:
        """Return what `to_json` was given."""
        return cls(**{**found, "buckets": Buckets(**found["buckets"])})


class Demand(NamedTuple):
    """What the queue says at this moment.

    Attributes:
        labels: labels known, whoever gave them.
        open: queries open.
        lag: labels given that the model at hand has not learned.
    """

    labels: int = 0
    open: int = 0
    lag: int = 0


def never() -> bool:
    """Return that nothing like this sample was asked lately."""
    return False


def consider(
    policy: Policy,
    standing: Standing,
    said: Unsure | None,
    *,
    coin: float,
    now: int,
    demand: Demand,
    near_duplicate: Callable[[], bool] = never,
) -> tuple[Decision, Standing]:
    """Return `decide` of the utility that the policy sees in a prediction; None while no class is known.

    What was predicted is counted afterwards, whatever was decided.

    Example:
        >>> decision, standing = consider(Policy(), Standing(), None, coin=0.5, now=0, demand=Demand())
        >>> decision.ask, decision.reason, standing.free
        (True, 'novel', 1)
    """
    utility = None if said is None else policy.utility(said, standing.predicted)
    decision, after = decide(
        policy, standing, utility, coin=coin, now=now, demand=demand, near_duplicate=near_duplicate
    )
    if said is not None:
        after = after._replace(predicted=counted(standing.predicted, said.label, len(said.probabilities)))
    return decision, after


def decide(
    policy: Policy,
    standing: Standing,
    utility: float | None,
    *,
    coin: float,
    now: int,
    demand: Demand,
    near_duplicate: Callable[[], bool] = never,
) -> tuple[Decision, Standing]:
    """Return whether to ask for the label of one sample, and where spending stands afterwards.

    While nothing is known or the warm-up lasts, p = 1. Then, with u the utility and θ the threshold::

        p = ε + (1 - ε) s        s = clip((u/θ - 1)/WIDTH + 1/2, 0, 1)        ε = exploration · granted

    where s is 0 as long as the buckets hold less than 1 + RESERVE, the queue is nearly full or the sample is nearly one
    that was asked lately, and ε is 0 as long as they hold less than 1 or the queue is full. So p is known before the
    coin, exactly.

    The threshold follows what is wanted, not what is asked, so an exhausted budget raises it (no wind-up); it leans on
    the buckets' level (`threshold.leaning`, `threshold.moved`).

    Args:
        policy: the stream's.
        standing: left as it is.
        utility: how much the answer would teach, 0 … 1; None while nothing can be said of it.
        coin: uniform on (0, 1), the sample's own.
        now: the sample's moment, in microseconds.
        demand: the queue's.
        near_duplicate: whether a sample much like this one is open or was asked lately; called only where that matters.

    Example:
        >>> told, begun = {"coin": 0.5, "now": 0, "demand": Demand(labels=20)}, Standing()
        >>> [round(decide(Policy(), begun, u, **told)[0].propensity, 6) for u in (0.9, 0.0)]
        [1.0, 0.005]
    """
    if utility is None:
        return _freely(standing, "novel", 1.0)
    if standing.free < policy.warmup_labels and demand.labels + demand.open < policy.warmup_labels:
        return _freely(standing, "exploration", utility)
    ease = easing(policy, demand)
    eased = policy.exploration + (1.0 - policy.exploration) * ease
    grant = Grant(policy.budget, policy.labels_per_hour, policy.labels_per_day)
    buckets, granted = standing.buckets.filled(grant, now, ease=eased)
    mean = granted if standing.granted is None else standing.granted + SMOOTHING * (granted - standing.granted)
    level = min(1.0, max(0.0, (buckets.least - RESERVE) / (BURST - RESERVE)))
    threshold = leaning(standing.threshold, level)
    want, exploration = wanted(utility, threshold), policy.exploration * mean
    may_explore = policy.budget > 0.0 and buckets.least >= 1.0 and demand.open < policy.max_open
    may_want = may_explore and buckets.least >= 1.0 + RESERVE and ease > 0.0
    if may_want and want > 0.0 and near_duplicate():
        want = 0.0
    decision = toss(
        utility,
        threshold=threshold,
        want=want if may_want else 0.0,
        exploration=exploration if may_explore else 0.0,
        coin=coin,
    )
    wish = exploration + (1.0 - exploration) * want
    after = standing._replace(
        seen=standing.seen + 1,
        spent=standing.spent + decision.ask,
        # A queue that takes no more says nothing of the utilities.
        threshold=moved(standing.threshold, wish=wish, granted=granted * eased, level=level)
        if ease
        else standing.threshold,
        granted=round(mean, 12),
        buckets=buckets.moved(-1) if decision.ask else buckets,
    )
    return decision, after


def _freely(standing: Standing, reason: Reason, utility: float) -> tuple[Decision, Standing]:
    decision = Decision(ask=True, reason=reason, propensity=1.0, utility=utility, threshold=None)
    return decision, standing._replace(free=standing.free + 1)


def easing(policy: Policy, demand: Demand) -> float:
    """Return which share of the budget the queue and the labels not yet learned leave to the uncertain, 0 … 1.

    clip(2 - open/(0.45 max_open)) · min(1, LAG/lag): all of it up to 45 % of `max_open`, nothing from 90 % on; the last
    tenth of the queue is exploration's.

    Example:
        >>> [round(easing(Policy(max_open=100), Demand(open=n)), 2) for n in (45, 60, 90)]
        [1.0, 0.67, 0.0]
        >>> easing(Policy(), Demand(lag=400))
        0.25
    """
    room = min(1.0, max(0.0, 2.0 - demand.open / (0.45 * policy.max_open)))
    return room * min(1.0, LAG / max(1, demand.lag))


def give_back(standing: Standing, queries: int, *, free: int = 0) -> Standing:
    """Return where spending stands after queries ended unanswered, and others that were asked freely.

    Example:
        >>> after = give_back(Standing(spent=5, free=20), 2, free=1)
        >>> after.spent, after.free
        (3, 19)
    """
    freely = max(0, standing.free - free)
    return standing._replace(spent=standing.spent - queries, free=freely, buckets=standing.buckets.moved(queries))
