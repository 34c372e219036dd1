"""The learner behind scikit-learn's interface, and behind River's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from learner.building import build
from learner.encoders.protocol import MOST_SINGLE
from learner.state import LearnerState
from learner.synapses.gating import Gate

_WORDS = "OSU"
"""Kinds of arrays that hold words."""


class EngramClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Learns one row of numbers at a time, in one pass; `partial_fit` goes on where the last call ended.

    Args:
        hidden: sizes of the network's hidden layers.
        components: K, components of a class in the slowest memory; the others have at most 16.
        votes: S, passes of one prediction.
        gate: engram gates of the network: "none", "stochastic" or "sparse_code".
        epochs: how often `fit` goes over its data, >= 1; `partial_fit` always once.
        random_state: key of all noise, 0 … 2^64 - 1; equal keys and equal calls give equal predictions.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> x, y = load_iris(return_X_y=True)
        >>> classifier = EngramClassifier(hidden=(32,), epochs=3).fit(x, y)
        >>> bool(classifier.score(x, y) > 0.85)
        True
    """

    def __init__(
        self,
        *,
        hidden: tuple[int, ...] = (256,),
        components: int = 16,
        votes: int = 10,
        gate: Gate = "none",
        epochs: int = 1,
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.components = components
        self.votes = votes
        self.gate = gate
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> EngramClassifier:  # noqa: N803 - scikit-learn's name
        """Forget everything and learn rows X [N, D] with classes y [N], `epochs` times.

        Raises:
            ValueError: where the data is not numbers and classes, or `epochs` is below 1.
        """
        if self.epochs < 1:
            raise ValueError(f"epochs must be >= 1, got {self.epochs}")
        rows, labels = self._checked(X, y, reset=True)
        self._begin(unique_labels(labels))
        for _ in range(self.epochs):
            self._learn(rows, labels)
        return self

    def partial_fit(
        self,
        X: ArrayLike,  # noqa: N803 - scikit-learn's name
        y: ArrayLike,
        classes: ArrayLike | None = None,
    ) -> EngramClassifier:
        """Learn rows X [N, D] with classes y [N], once; a class may be new at any call.

        Args:
            X: finite numbers.
            y: classes.
            classes: those that are known to come, at the first call or later; may be left out.

        Raises:
            ValueError: where the data is not numbers and classes, or classes are words once and numbers another time.
        """
        first = not hasattr(self, "state_")
        rows, labels = self._checked(X, y, reset=first)
        named = unique_labels(labels) if classes is None else np.unique(np.asarray(classes))
        if first:
            self._begin(named)
        self._welcome(named)
        self._learn(rows, labels)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803 - scikit-learn's name
        """Return the probability of each of `classes_`, [N, C]."""
        check_is_fitted(self, "state_")
        rows = validate_data(self, X, reset=False, dtype=np.float64)
        if len(self.classes_) == 1:
            return np.ones((len(rows), 1))
        said = self._learner.scorer(self.state_).predict_many(list(_float32(rows)))
        by_class = np.array([list(one.probabilities.values()) for one in said if one is not None])
        return by_class[:, [self._names.index(one) for one in self.classes_.tolist()]]

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803 - scikit-learn's name
        """Return the most probable class of each row, [N]."""
        probabilities = self.predict_proba(X)
        best: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return best

    def to_river(self) -> Any:
        """Return a River classifier with these settings, untrained.

        Raises:
            ModuleNotFoundError: where River is not installed.
        """
        from learner.building.river import RiverClassifier  # noqa: PLC0415 - River is no dependency of the learner

        return RiverClassifier(
            hidden=tuple(self.hidden),
            components=self.components,
            votes=self.votes,
            gate=self.gate,
            random_state=self.random_state,
        )

    def _checked(
        self,
        X: ArrayLike,  # noqa: N803 - scikit-learn's name
        y: ArrayLike,
        *,
        reset: bool,
    ) -> tuple[NDArray[np.float64], NDArray[Any]]:
        rows, labels = validate_data(self, X, y, reset=reset, dtype=np.float64)
        check_classification_targets(labels)
        return rows, labels

    def _begin(self, classes: NDArray[Any]) -> None:
        if not (isinstance(self.random_state, (int, np.integer)) and 0 <= self.random_state < 2**64):
            raise ValueError(f"random_state must be an integer in 0 … 2^64 - 1, got {self.random_state!r}")
        source = {"kind": "vector", "dim": self.n_features_in_}
        self._learner = build(
            source,
            seed=int(self.random_state),
            hidden=tuple(self.hidden),
            votes=self.votes,
            components=self.components,
            gate=self.gate,
        )
        self._names: list[Any] = classes.tolist()
        self.classes_ = classes
        self.state_: LearnerState = self._learner.start(tuple(map(str, range(len(classes)))))

    def _welcome(self, classes: NDArray[Any]) -> None:
        """Add those of `classes` that are new."""
        if (classes.dtype.kind in _WORDS) != (self.classes_.dtype.kind in _WORDS):
            raise ValueError(f"classes must be of one kind, like {self._names[0]!r}, got {classes.tolist()[0]!r}")
        new = [name for name in classes.tolist() if name not in self._names]
        if new:
            self.classes_ = np.unique(np.concatenate([self.classes_, np.array(new)]))
        for name in new:
            self.state_ = self._learner.add_class(self.state_, str(len(self._names)), seq=self.state_.seq)
            self._names.append(name)

    def _learn(self, rows: NDArray[np.float64], labels: NDArray[Any]) -> None:
        self._welcome(np.unique(labels))
        index = {name: str(number) for number, name in enumerate(self._names)}
        named = [index[label] for label in labels.tolist()]
        self.state_, _ = self._learner.prequential(self.state_, _float32(rows), named, seq=self.state_.seq + 1)


def _float32(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.clip(rows, -MOST_SINGLE, MOST_SINGLE).astype(np.float32)
