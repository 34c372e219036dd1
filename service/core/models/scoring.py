"""The current version of every stream's learner, for prediction. Readers never wait for learning."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from learner import LearnerState, OnlineLearner, Prediction
from learner.online import Scorer
from service.core.models.training import apprentice, restore
from service.storage.session import Database
from service.storage.streams import Stream


@dataclass(slots=True)
class _Live:
    """One version; its scorer is made when it is first needed."""

    learner: OnlineLearner
    state: LearnerState
    scorer: Scorer | None = None
    making: Lock = field(default_factory=Lock)

    def view(self) -> Scorer:
        with self.making:
            if self.scorer is None:
                self.scorer = self.learner.scorer(self.state)
            return self.scorer


class LiveModels:
    """Holds one version per stream and swaps it whole."""

    def __init__(self, db: Database, device: str) -> None:
        self._db = db
        self._device = device
        self._live: dict[int, _Live] = {}
        self._lock = Lock()

    def publish(self, stream: Stream, state: LearnerState) -> None:
        """Make `state` the stream's current version, unless a newer one is there."""
        with self._lock:
            current = self._live.get(stream.id)
            if current is None or current.state.seq < state.seq:
                self._live[stream.id] = _Live(apprentice(stream, self._device).learner, state)

    def scorer(self, stream: Stream) -> Scorer:
        """Return the scorer of the current version."""
        return self._current(stream).view()

    def state(self, stream: Stream) -> LearnerState:
        """Return the state of the current version."""
        return self._current(stream).state

    def version(self, stream_id: int) -> int:
        """Return the number of a stream's current version; 0 where none is here."""
        live = self._live.get(stream_id)
        return 0 if live is None else live.state.seq

    def follow(self, stream: Stream) -> None:
        """Bring the current version to what the stream's writer has committed: the same fold, the same bits."""
        live = self._live.get(stream.id)
        if live is not None and live.state.seq >= stream.applied_seq:
            return
        held = () if live is None else (live.state,)
        state = self._db.read_now(lambda c: restore(c, stream, self._device, until=stream.applied_seq, held=held))
        self.publish(stream, state)

    def known(self) -> frozenset[int]:
        """Return the streams that have a version here."""
        return frozenset(self._live)

    def forget(self, stream_id: int) -> None:
        """Drop a stream that is gone."""
        with self._lock:
            self._live.pop(stream_id, None)

    def _current(self, stream: Stream) -> _Live:
        live = self._live.get(stream.id)
        if live is None:
            state = self._db.read_now(lambda c: restore(c, stream, self._device, until=stream.applied_seq))
            self.publish(stream, state)
            live = self._live[stream.id]
        return live


def prediction_body(said: Prediction | None) -> dict[str, Any] | None:
    """Return the prediction as the contract has it."""
    if said is None:
        return None
    return {"label": said.label, "confidence": said.confidence, "probabilities": dict(said.probabilities)}


def uncertainty_body(said: Prediction | None) -> dict[str, Any] | None:
    """Return the uncertainty as the contract has it."""
    if said is None:
        return None
    return {
        "predictive_entropy": said.predictive_entropy,
        "aleatoric": said.aleatoric,
        "epistemic": said.epistemic,
        "variation_ratio": said.variation_ratio,
        "novelty": said.novelty,
    }
