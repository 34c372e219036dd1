"""New samples against one ledger: whether each is asked, and all that is written of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from learner import Prediction
from learner.asking.duplicates import Asked
from learner.asking.policy import Demand, consider
from learner.asking.selection import Decision
from learner.encoders import AnyInput
from learner.noise import Purpose, uniform
from service.core.access import Principal
from service.core.errors import EngramError
from service.core.identity import new_id
from service.core.inputs import to_bytes
from service.core.labels import labeling
from service.core.models.scoring import prediction_body, uncertainty_body
from service.core.parts import Parts
from service.core.specs import QuerySpec
from service.core.spending import standing_of
from service.storage import accuracy, events, queries, samples
from service.storage import streams as stream_rows
from service.storage.streams import Ledger, Stream


@dataclass(frozen=True, slots=True)
class SampleIn:
    """What a producer sends."""

    id: str | None
    data: Any
    display: dict[str, Any] | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Scored:
    """A sample ready to be stored."""

    sent: SampleIn
    x: AnyInput
    said: Prediction | None
    version: int
    code: Callable[[], bytes]
    """Its packed binary code."""


Outcome = dict[str, Any] | EngramError

_UNASKED = Decision(ask=False, reason=None, propensity=0.0, utility=0.0, threshold=None)
"""Of a sample whose truth came with it."""


class Intake:
    """Decides on new samples one after another against one ledger, and writes them together."""

    def __init__(
        self, parts: Parts, stream: Stream, ledger: Ledger, by: Principal, asked_lately: Callable[[], Sequence[bytes]]
    ) -> None:
        self._parts = parts
        self._stream = stream
        self._spec = QuerySpec(**stream.query)
        self._policy = self._spec.policy()
        self._by = by
        self._ledger = ledger
        self._standing = standing_of(ledger)
        self._samples: list[dict[str, Any]] = []
        self._queries: dict[str, dict[str, Any]] = {}
        self._seats = 0
        self._truths: list[tuple[str, Scored]] = []
        self._classes = list(stream.classes)
        self._asked_lately = asked_lately
        self._asked: Asked | None = None

    def take(self, item: Scored) -> Outcome:
        """Decide on one sample."""
        truth = item.sent.label
        if truth is not None:
            try:
                self._classes = labeling.with_class(self._parts, self._stream, self._classes, truth)
            except EngramError as error:
                return error
        now = self._parts.clock.now()
        sample_id = item.sent.id or new_id("s", self._parts.clock)
        decision = _UNASKED if truth is not None else self._decide(item, now)
        if decision.ask:
            opened = self._query(item, decision, now)
            self._queries[sample_id] = opened
            if self._asked is not None:
                self._asked = self._asked.with_one(opened["code"] or b"")
        if truth is not None:
            self._truths.append((sample_id, item))
        self._samples.append(self._sample(item, sample_id, decision, now))
        query = self._queries.get(sample_id)
        asked = None if query is None else {name: query[name] for name in ("id", "reason", "propensity")}
        stored = self._samples[-1]
        return {
            "id": sample_id,
            "prediction": stored["prediction"],
            "uncertainty": stored["uncertainty"],
            "query": asked,
            "model_version": item.version,
        }

    def write(self, connection: Connection) -> bool:
        """Spend and store what was taken; False, with nothing written, where the ledger is another than was read."""
        if not self._samples:
            return True
        counts = {"samples": len(self._samples), "asked": self._seats, "open": self._seats}
        standing = self._standing.to_json()
        if not stream_rows.spend(connection, self._stream.id, turn=self._ledger.turn, standing=standing, **counts):
            return False
        numbers = samples.insert(connection, self._samples)
        rows = [seat for sample_id, query in self._queries.items() for seat in self._places(query, numbers[sample_id])]
        queries.insert(connection, rows)
        predicted = [sample for sample in self._samples if sample["prediction"] is not None]
        decided = [(sample["propensity"], sample["asked"], sample["model_version"]) for sample in predicted]
        accuracy.count(connection, self._stream.id, decided)
        events.add(connection, [event for sample in self._samples for event in self._events(sample)])
        self._parts.metrics.samples.labels(self._stream.name).inc(len(self._samples))
        for query in rows:
            self._parts.metrics.queries.labels(self._stream.name, query["reason"]).inc()
        for sample_id, item in self._truths:
            truth = labeling.Truth(numbers[sample_id], sample_id, to_bytes(item.x), item.said and item.said.label)
            labeling.learn_truth(connection, self._parts, self._stream.name, truth, str(item.sent.label), self._by)
        return True

    def _decide(self, item: Scored, now: int) -> Decision:
        ordinal = self._ledger.samples + len(self._samples) + 1
        drifted = ordinal <= self._ledger.exploring_until
        decision, self._standing = consider(
            self._policy.after_drift() if drifted else self._policy,
            self._standing,
            item.said,
            coin=float(uniform(self._stream.learner["seed"], ordinal, Purpose.ASK, 1)[0]),
            now=now,
            demand=Demand(
                labels=self._ledger.labels + len(self._truths),
                open=self._ledger.open + self._seats,
                lag=self._stream.log_seq + len(self._truths) - item.version,
            ),
            near_duplicate=lambda: self._near(item),
        )
        return decision

    def _near(self, item: Scored) -> bool:
        """Return whether a question much like this one was asked lately; what was asked is read when first needed."""
        if self._policy.duplicate_radius == 0.0:
            return False
        if self._asked is None:
            codes = [query["code"] for query in self._queries.values() if query["code"] is not None]
            self._asked = Asked.of([*self._asked_lately(), *codes])
        return self._asked.has_near(item.code(), self._policy.duplicate_radius)

    def _query(self, item: Scored, decision: Decision, now: int) -> dict[str, Any]:
        return {
            "id": new_id("q", self._parts.clock),
            "stream_id": self._stream.id,
            "state": queries.OPEN,
            "reason": decision.reason,
            "propensity": decision.propensity,
            "utility": decision.utility,
            "seats": self._seats_of(decision, self._ledger.samples + len(self._samples) + 1),
            "ranked_at": item.version,
            "lease_until": 0,
            "opened_at": now,
            "code": (item.code() or None) if self._policy.duplicate_radius > 0.0 else None,
        }

    def _places(self, query: dict[str, Any], sample_n: int) -> list[dict[str, Any]]:
        """Return the queries of one sample: one for each person who shall answer it."""
        named = [query["id"], *(new_id("q", self._parts.clock) for _ in range(query["seats"] - 1))]
        return [{**query, "id": name, "sample_n": sample_n, "seat": n} for n, name in enumerate(named)]

    def _seats_of(self, decision: Decision, ordinal: int) -> int:
        """Return how many people are asked of a sample, and charge the budget for more or fewer than the mean."""
        coin = float(uniform(self._stream.learner["seed"], ordinal, Purpose.OVERLAP, 1)[0])
        seats = self._spec.overlap if coin < self._spec.overlap_share else 1
        self._seats += seats
        if decision.threshold is not None:
            buckets = self._standing.buckets.moved(1.0 - seats / self._spec.seats)
            self._standing = self._standing._replace(buckets=buckets)
        return seats

    def _sample(self, item: Scored, sample_id: str, decision: Decision, now: int) -> dict[str, Any]:
        said = item.said
        return {
            "stream_id": self._stream.id,
            "id": sample_id,
            "data": item.sent.data,
            "display": item.sent.display,
            "features": to_bytes(item.x),
            "prediction": prediction_body(said),
            "uncertainty": uncertainty_body(said),
            "predictive_entropy": said and said.predictive_entropy,
            "epistemic": said and said.epistemic,
            "variation_ratio": said and said.variation_ratio,
            "model_version": item.version,
            "asked": decision.ask,
            # Nobody was to ask where the truth is there.
            "propensity": None if item.sent.label is not None else decision.propensity,
            "utility": decision.utility,
            "threshold": decision.threshold,
            "at": now,
        }

    def _events(self, sample: dict[str, Any]) -> list[dict[str, Any]]:
        said = sample["prediction"]
        found = {
            "sample_id": sample["id"],
            "label": said and said["label"],
            "confidence": said and said["confidence"],
            "model_version": sample["model_version"],
        }
        common = {"stream_id": self._stream.id, "at": sample["at"]}
        written = [{**common, "type": "prediction", "data": found}]
        query = self._queries.get(sample["id"])
        if query is not None:
            asked = {"query_id": query["id"], "sample_id": sample["id"], "reason": query["reason"]}
            written.append({**common, "type": "query", "data": asked})
        return written
