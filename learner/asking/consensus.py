"""One label from several people's answers to one question: by majority, or weighted by how reliable each is. Pure.

**Ties.** Where the most named labels are equally strong there is no winner, whatever their order: the caller asks one
more person, and where it has asked enough it takes the more probable one (`posterior`), or none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from learner.asking.reliability import believed, heaviest, weight

Rule = Literal["majority", "weighted"]

_TIE = 1e-9
"""Leads below it are none: weights are logarithms, and their sums are rounded."""


class Answer(NamedTuple):
    """What a person said, and how often that person is right, 0 … 1."""

    label: str
    reliability: float


class Verdict(NamedTuple):
    """The leading label, None where two lead alike, and whether no answer still to come can change that."""

    label: str | None
    final: bool


def consensus(rule: Rule, answers: Sequence[Answer], classes: int, *, remaining: int = 0) -> Verdict:
    """Return what the answers agree on so far, and whether it is settled.

    Each answer adds to its label's strength: 1 by majority, `weight(r, C)` weighted. With `most` the largest that one
    answer can add, the verdict is final where::

        strength(first) - strength(second) > remaining * most

    so that no answers to the remaining questions give another winner. Without remaining questions it is final where
    one label leads. What everybody says wins, however little they count. The order of the answers is of no matter.

    Args:
        rule: "majority" or "weighted".
        answers: the answers given.
        classes: C, how many classes there are, >= 1.
        remaining: questions still open, >= 0.

    Raises:
        ValueError: where an argument is out of its range.

    Source:
        Nitzan, Paroush, 1982, for weights; the early stop is the certain one of Sheng, Provost, Ipeirotis, *Get another
        label?*, 2008.

    Example:
        >>> sure, doubtful = 0.95, 0.55
        >>> said = [Answer("cat", doubtful), Answer("cat", doubtful), Answer("dog", sure)]
        >>> consensus("majority", said, 2)
        Verdict(label='cat', final=True)
        >>> consensus("weighted", said, 2)
        Verdict(label='dog', final=True)
        >>> consensus("majority", said[:2], 2, remaining=1)
        Verdict(label='cat', final=True)
        >>> consensus("majority", said[1:], 2)
        Verdict(label=None, final=False)
    """
    if rule not in ("majority", "weighted"):
        raise ValueError(f"rule must be 'majority' or 'weighted', got '{rule}'")
    if remaining < 0:
        raise ValueError(f"remaining must be >= 0, got {remaining}")
    strengths: dict[str, list[float]] = {}
    for said in answers:
        strengths.setdefault(said.label, []).append(1.0 if rule == "majority" else weight(said.reliability, classes))
    if not strengths:
        return Verdict(None, final=False)
    ranked = sorted(((math.fsum(parts), label) for label, parts in strengths.items()), reverse=True)
    lead = ranked[0][0] - (ranked[1][0] if len(ranked) > 1 else 0.0)
    leader = ranked[0][1] if len(ranked) == 1 or lead > _TIE else None
    if remaining == 0:
        return Verdict(leader, final=leader is not None)
    most = 1.0 if rule == "majority" else heaviest(classes)
    return Verdict(leader, final=leader is not None and lead > remaining * most + _TIE)


def posterior(answers: Sequence[Answer], classes: Iterable[str]) -> dict[str, float]:
    """Return how probable each class is, given who answered what.

    One coin for each person: right with probability r, otherwise any of the other C - 1 classes alike, and every class
    equally probable before::

        p(y) ∝ product over answers of  r where it says y,  (1 - r)/(C - 1) where it does not

    with r clipped as for `weight`, so that its most probable class is the weighted winner.

    Args:
        answers: the answers given.
        classes: the classes; those that answers name besides are among them.

    Returns:
        Probabilities by class, which sum to 1. A single class has 1.

    Source:
        Dawid, Skene, 1979, equation 2.5, in one coin.

    Example:
        >>> p = posterior([Answer("a", 0.9), Answer("b", 0.6)], ["a", "b"])
        >>> round(p["a"], 3), round(sum(p.values()), 12)
        (0.857, 1.0)
    """
    names = list(dict.fromkeys([*classes, *(said.label for said in answers)]))
    count = max(2, len(names))
    logs = {name: math.fsum(_log_chance(said, name, count) for said in answers) for name in names}
    most = max(logs.values(), default=0.0)
    shares = {name: math.exp(value - most) for name, value in logs.items()}
    total = math.fsum(shares.values())
    return {name: share / total for name, share in shares.items()}


def most_probable(answers: Sequence[Answer], classes: Iterable[str]) -> str | None:
    """Return the most probable of the labels that somebody named, None where two are equally probable.

    It breaks ties that a majority has left: two who are right more often beat two who are not.

    Example:
        >>> most_probable([Answer("a", 0.9), Answer("b", 0.6)], ["a", "b"])
        'a'
        >>> most_probable([Answer("a", 0.8), Answer("b", 0.8)], ["a", "b"]) is None
        True
    """
    found = posterior(answers, classes)
    ranked = sorted(((found[name], name) for name in {said.label for said in answers}), reverse=True)
    if not ranked or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] <= _TIE):
        return None
    return ranked[0][1]


def _log_chance(said: Answer, name: str, count: int) -> float:
    right = believed(said.reliability, count)
    return math.log(right if said.label == name else (1.0 - right) / (count - 1))
