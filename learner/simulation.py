"""What a query policy would have asked of a labelled stream, and what the learner made of the answers. Pure.

It goes step by step as a stream of the service does: predict, decide, and where the decision is to ask, learn the
answer before the next sample comes. Learner, decisions and noise are the service's own, so the numbers are those that
the service would have had, posted one sample at a time to a person who answers at once.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from learner.asking.duplicates import Asked
from learner.asking.policy import Demand, Policy, Standing
from learner.asking.selection import Decision
from learner.encoders import AnyInput
from learner.noise import Purpose, uniform
from learner.online import OnlineLearner, Scorer
from learner.state import LearnerState, Prediction
from learner.watching import strata
from learner.watching.accuracy import Accuracy, accuracy

_MOST_AHEAD = 64
"""Samples that are scored together, at most, while nothing is asked."""

SECOND = 1_000_000
"""In microseconds."""

Labelled = tuple[AnyInput, str]
"""An input as the encoder takes it, and its label."""


class Step(NamedTuple):
    """What became of one sample.

    Attributes:
        said: the prediction, made before anything was learned of the sample; None while no class is known.
        decision: whether it is asked, and with which propensity.
        right: whether the prediction was the label.
        state: what the learner knows after it.
        standing: where the policy's spending stands after it.
    """

    said: Prediction | None
    decision: Decision
    right: bool
    state: LearnerState
    standing: Standing


def replay(
    learner: OnlineLearner,
    policy: Policy,
    samples: Iterable[Labelled],
    *,
    seed: int,
    classes: tuple[str, ...] = (),
    interval: int = SECOND,
) -> Iterator[Step]:
    """Yield what becomes of each sample in turn under a policy, every question answered at once and truly.

    The n-th sample has the coin `uniform(seed, n, Purpose.ASK, 1)`, and its label the number of labels so far. Samples
    between two labels are scored together, which gives each the same prediction as alone.

    Args:
        learner: as `build` makes it.
        policy: when to ask.
        samples: each input, as the encoder takes it, with its label.
        seed: key of the coins, 0 … 2^64 - 1: a stream's own seed, which `learner` has too.
        classes: those known from the beginning.
        interval: microseconds between two samples; matters where the policy has a budget in time.

    Source:
        Prequential evaluation: Dawid, *The prequential approach*, 1984.

    Example:
        >>> import numpy as np
        >>> from learner import build
        >>> learner = build({"kind": "vector", "dim": 1}, seed=7, hidden=(8,), components=2)
        >>> samples = [(np.array([n % 2], np.float32), "ab"[n % 2]) for n in range(60)]
        >>> steps = list(replay(learner, Policy(budget=0.1, warmup_labels=10), samples, seed=7))
        >>> [step.decision.ask for step in steps[:10]] == [True] * 10, steps[-1].state.seq < 20, steps[-1].right
        (True, True, True)
    """
    state, standing = learner.start(classes), Standing()
    scorer, together = learner.scorer(state), 1
    source, ahead, count, asked = iter(samples), deque[Labelled](), 0, Asked()
    while True:
        ahead.extend(islice(source, max(0, together - len(ahead))))
        if not ahead:
            return
        said_of = scorer.predict_many([x for x, _label in islice(ahead, together)])
        together = min(_MOST_AHEAD, 2 * together)
        for said in said_of:
            x, label = ahead.popleft()
            count += 1
            decision, standing = learner.decide(
                policy,
                standing,
                said,
                coin=float(uniform(seed, count, Purpose.ASK, 1)[0]),
                now=count * interval,
                demand=Demand(labels=state.seq),
                near_duplicate=partial(_near, asked, scorer, x, policy.duplicate_radius),
            )
            if decision.ask:
                state, _info = learner.learn(state, x, label, seq=state.seq + 1)
            yield Step(said, decision, said is not None and said.label == label, state, standing)
            if decision.ask:
                asked = asked.with_one(scorer.packed_code(x))
                scorer, together = learner.scorer(state), 1
                break


def _near(asked: Asked, scorer: Scorer, x: AnyInput, radius: float) -> bool:
    return radius > 0.0 and asked.has_near(scorer.packed_code(x), radius)


class Look(NamedTuple):
    """How far a run was at one moment.

    Attributes:
        samples, labels: so far.
        accuracy: share of the samples held out that the learner of that moment has right; None where none are.
    """

    samples: int
    labels: int
    accuracy: float | None


class Outcome(NamedTuple):
    """What a policy cost on a stream, and what it reached.

    Attributes:
        samples: how many came.
        labels: how many were asked and answered.
        arrival: share of the predictions made at arrival, before anything was learned of the sample, that were right.
        recent: the same over the last fifth of the samples.
        estimate: `arrival` as the service estimates it, from the labels that it asked for alone.
        curve: looks on the way, the last one at the end.
    """

    samples: int
    labels: int
    arrival: float
    recent: float
    estimate: Accuracy | None
    curve: tuple[Look, ...]

    @property
    def share(self) -> float:
        """Labels for each sample."""
        return self.labels / max(1, self.samples)

    @property
    def held_out(self) -> float | None:
        """The accuracy on the samples held out, at the end."""
        return self.curve[-1].accuracy


def outcome(
    steps: Iterable[Step],
    total: int,
    learner: OnlineLearner,
    held_out: Sequence[Labelled] = (),
    *,
    looks: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Return what a replay came to.

    Args:
        steps: as `replay` yields them.
        total: how many there will be, >= 1.
        learner: that of the replay.
        held_out: samples that the replay does not have, to test on.
        looks: how often to test, evenly spread, >= 1; the last time is at the end.
        told: called with how many samples more there were, about a hundred times.

    Raises:
        ValueError: where `looks` or `total` is below 1.

    Example:
        >>> import numpy as np
        >>> from learner import build
        >>> learner = build({"kind": "vector", "dim": 1}, seed=7, hidden=(8,), components=2)
        >>> samples = [(np.array([n % 2], np.float32), "ab"[n % 2]) for n in range(60)]
        >>> steps = replay(learner, Policy(budget=0.1, warmup_labels=10), samples[:50], seed=7)
        >>> outcome(steps, 50, learner, samples[50:]).held_out
        1.0
    """
    if looks < 1 or total < 1:
        raise ValueError(f"looks and total must be >= 1, got {looks} and {total}")
    hits: list[bool] = []
    decisions: list[_Decided] = []
    curve, labels, recent, every = list[Look](), 0, 0, -(-total // 100)
    for count, step in enumerate(steps, 1):
        labels += step.decision.ask
        if step.said is not None:
            hits.append(step.right)
            decisions.append(_Decided(step.decision, step.state.seq - step.decision.ask))
            recent += count <= total - -(-total // 5)
        if count * looks // total > (count - 1) * looks // total:
            curve.append(Look(count, labels, accuracy_on(learner, step.state, held_out)))
        if count % every == 0 or count == total:
            told(count % every or every)
    return Outcome(total, labels, _share(hits), _share(hits[recent:]), _estimate(decisions, hits), tuple(curve))


def accuracy_on(learner: OnlineLearner, state: LearnerState, samples: Sequence[Labelled]) -> float | None:
    """Return the share of samples that the learner has right, 0 … 1; None without any."""
    if not samples:
        return None
    said = learner.scorer(state).predict_many([x for x, _label in samples])
    return _share([one is not None and one.label == label for one, (_x, label) in zip(said, samples, strict=True)])


class _Decided(NamedTuple):
    """A decision, and the version of the model that predicted."""

    decision: Decision
    version: int


def _estimate(decisions: Sequence[_Decided], hits: Sequence[bool]) -> Accuracy | None:
    """Return the accuracy as the labels of what was asked tell it, samples and labels counted by stratum and age."""
    propensities: dict[tuple[int, int], list[float]] = defaultdict(list)
    answered: dict[tuple[tuple[int, int], bool], list[float]] = defaultdict(list)
    for (decision, version), right in zip(decisions, hits, strict=True):
        cell = (strata.stratum_of(decision.propensity), strata.age_of(version))
        propensities[cell].append(decision.propensity)
        if decision.ask:
            answered[cell, right].append(decision.propensity)
    asked = {of: sum(len(answered.get((of, right), ())) for right in (True, False)) for of in propensities}
    return accuracy(
        [
            strata.Population(stratum, len(found), asked[stratum, age], min(found), age)
            for (stratum, age), found in propensities.items()
        ],
        [
            strata.Labelled(
                stratum, len(found) / sum(1.0 / p for p in found), asked=True, right=right, labels=len(found), age=age
            )
            for ((stratum, age), right), found in answered.items()
        ],
    )


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / max(1, len(hits))
