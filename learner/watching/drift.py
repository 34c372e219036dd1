"""Whether a stream has changed: its errors, how new its samples are, and the mix of what is predicted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from learner.watching.adwin import Adwin, Change

Kind = Literal["error", "novelty", "class_mix"]

SETTLED = 100
"""Labels before the watch begins: until then everything changes because the learner learns."""

MATTERS: Mapping[Kind, float] = MappingProxyType({"error": 0.03, "novelty": 0.5, "class_mix": 0.05})
"""The smallest change of a mean that is told: on a long stream even what matters to nobody is certain."""

_DELTA = 0.002
_GROUPS = 8
_LEAST_NOVEL, _MOST_NOVEL = -3.0, 6.0


class Alarm(NamedTuple):
    """What has changed, its mean before and after, and over how many values after."""

    kind: Kind
    before: float
    after: float
    values: int


class DriftWatch:
    """Watches three things, each by an `Adwin` of delta .002 in all.

    - **error**: wrong - (1 - confidence) of each label, in -1 … 1; an alarm only where it rises. Labels are mostly
      asked where the model is unsure, and how many of these changes with the budget and the threshold. What its
      confidence expects is taken off, so that whom one asks changes nothing as long as confidence is right.
    - **novelty** of each sample, in deviations, clipped to -3 … 6; an alarm only where it rises.
    - **class mix**: the share of each of eight groups of predicted classes, a class's group being the place of its
      first appearance modulo eight; an alarm where any share moves.

    A change is told from `MATTERS` on; a smaller one only shortens the window. The watch begins after `SETTLED` labels.
    Labels and samples are watched apart, so it does not matter how they interleave.

    Example:
        >>> watch = DriftWatch()
        >>> quiet = [watch.label(right=n % 10 > 0, confidence=0.9) for n in range(1000)]
        >>> alarms = [found for n in range(200) if (found := watch.label(right=n % 10 > 4, confidence=0.9))]
        >>> any(quiet), alarms[0].kind, alarms[0].after > alarms[0].before
        (False, 'error', True)
    """

    def __init__(self) -> None:
        self._labels = 0
        self._names: dict[str, int] = {}
        self._error, self._novelty = Adwin(_DELTA), Adwin(_DELTA)
        self._mix = [Adwin(_DELTA / _GROUPS) for _ in range(_GROUPS)]

    def label(self, *, right: bool, confidence: float) -> Alarm | None:
        """Take the next label: whether the prediction at arrival was right, and its confidence, 0 … 1."""
        self._labels += 1
        if self._labels <= SETTLED:
            return None
        surprise = float(not right) - (1.0 - confidence)
        found = self._error.update(min(1.0, max(0.0, (surprise + 1.0) / 2.0)))
        alarm = None if found is None else _alarm("error", found, 2.0, -1.0)
        return alarm if alarm is not None and alarm.after - alarm.before >= MATTERS["error"] else None

    def sample(self, predicted: str, novelty: float, *, learned: int) -> list[Alarm]:
        """Take the next sample: the class predicted, the novelty in deviations, and how much the model had learned."""
        if learned < SETTLED:
            return []
        alarms = []
        span = _MOST_NOVEL - _LEAST_NOVEL
        found = self._novelty.update(min(1.0, max(0.0, (novelty - _LEAST_NOVEL) / span)))
        if found is not None:
            alarm = _alarm("novelty", found, span, _LEAST_NOVEL)
            alarms += [alarm] if alarm.after - alarm.before >= MATTERS["novelty"] else []
        group = self._names.setdefault(predicted, len(self._names)) % _GROUPS
        moves = [window.update(float(number == group)) for number, window in enumerate(self._mix)]
        changes = [move for move in moves if move is not None]
        most = max(changes, key=lambda change: abs(change.after - change.before), default=None)
        if most is not None and abs(most.after - most.before) >= MATTERS["class_mix"]:
            alarms.append(_alarm("class_mix", most, 1.0, 0.0))
        return alarms

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON's types."""
        return {
            "labels": self._labels,
            "names": self._names,
            "error": self._error.to_json(),
            "novelty": self._novelty.to_json(),
            "mix": [window.to_json() for window in self._mix],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> DriftWatch:
        """Return what `to_json` was given.

        Example:
            >>> DriftWatch.from_json(DriftWatch().to_json()).to_json() == DriftWatch().to_json()
            True
        """
        made = cls()
        made._labels, made._names = found["labels"], dict(found["names"])
        made._error, made._novelty = Adwin.from_json(found["error"]), Adwin.from_json(found["novelty"])
        made._mix = [Adwin.from_json(window) for window in found["mix"]]
        return made


def _alarm(kind: Kind, found: Change, scale: float, offset: float) -> Alarm:
    return Alarm(kind, found.before * scale + offset, found.after * scale + offset, found.values_after)
