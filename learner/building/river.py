"""The learner behind River's interface: rows are dictionaries of numbers, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from learner.building import build
from learner.encoders.protocol import MOST_SINGLE
from learner.synapses.gating import Gate


class RiverClassifier(base.Classifier):
    """Learns dictionaries of numbers.

    A field that has not come up before takes one of the free places; one that a row leaves out counts as 0.

    Args:
        hidden: sizes of the network's hidden layers.
        components: K, components of a class in the slowest memory; the others have at most 16.
        votes: S, passes of one prediction.
        gate: engram gates of the network: "none", "stochastic" or "sparse_code".
        random_state: key of all noise, 0 … 2^64 - 1.
        places: how many fields are told apart, >= 1; later fields share the last place.

    Example:
        >>> classifier = RiverClassifier(hidden=(16,))
        >>> for number in range(20):
        ...     classifier.learn_one({"x": number % 2}, bool(number % 2))
        >>> classifier.predict_one({"x": 1})
        True
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (256,),
        components: int = 16,
        votes: int = 10,
        gate: Gate = "none",
        random_state: int = 0,
        places: int = 64,
    ) -> None:
        self.hidden = hidden
        self.components = components
        self.votes = votes
        self.gate = gate
        self.random_state = random_state
        self.places = places
        self._fields: dict[Any, int] = {}
        self._labels: list[Any] = []
        self._learner = build(
            {"kind": "vector", "dim": places},
            seed=random_state,
            hidden=hidden,
            components=components,
            votes=votes,
            gate=gate,
        )
        self._state = self._learner.start()

    @property
    def _multiclass(self) -> bool:
        return True

    def learn_one(self, x: Mapping[Any, Any], y: Any, **_: Any) -> None:
        """Learn one row with its class.

        Raises:
            ValueError: where a value is not a finite number; nothing is learned then.
        """
        _checked(x)
        for name in sorted(x, key=str):
            self._fields.setdefault(name, min(len(self._fields), self.places - 1))
        if y not in self._labels:
            self._labels.append(y)
        row, label = self._row(x), str(self._labels.index(y))
        self._state = self._learner.learn(self._state, row, label, seq=self._state.seq + 1)[0]

    def predict_proba_one(self, x: Mapping[Any, Any], **_: Any) -> dict[Any, float]:
        """Return the probability of each class known, {} while there is none.

        Raises:
            ValueError: where a value is not a finite number.
        """
        _checked(x)
        said = self._learner.scorer(self._state).predict(self._row(x))
        if said is None:
            return {}
        return {self._labels[int(label)]: p for label, p in said.probabilities.items()}

    def _row(self, x: Mapping[Any, Any]) -> NDArray[np.float32]:
        row = np.zeros(self.places, np.float32)
        for name, value in x.items():
            if name in self._fields:
                row[self._fields[name]] += value
        return row


def _checked(x: Mapping[Any, Any]) -> None:
    for name, value in x.items():
        if isinstance(value, (str, bytes)) or value is None or not abs(value) <= MOST_SINGLE:
            raise ValueError(f"{name} must be a number within ±3.4e38, got {value!r}")
