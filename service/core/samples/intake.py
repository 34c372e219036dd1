"""New samples against one ledger: whether each is asked, and all that is written of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from learner import Prediction
from learner.asking.budget import Budget
from learner.asking.selection import Decision, Reason, decide
from learner.asking.strategies import STRATEGIES
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
from service.storage import events, queries, samples
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


Outcome = dict[str, Any] | EngramError


class Intake:
    """Decides on new samples one after another against one ledger, and writes them together."""

    def __init__(self, parts: Parts, stream: Stream, ledger: Ledger, by: Principal) -> None:
        self._parts = parts
        self._stream = stream
        self._policy = QuerySpec(**stream.query)
        self._by = by
        self._first = ledger.samples
        self._asked_or_known = ledger.labels + ledger.open
        self._budget = Budget(ledger.seen, ledger.spent, ledger.threshold)
        self._was = self._budget
        self._samples: list[dict[str, Any]] = []
        self._queries: dict[str, dict[str, Any]] = {}
        self._truths: list[tuple[str, Scored]] = []
        self._classes = list(stream.classes)

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
        decision = self._decide(item) if truth is None else Decision(ask=False, reason=None, propensity=0.0)
        if decision.ask:
            self._queries[sample_id] = self._query(item, decision, now)
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

    def write(self, connection: Connection) -> None:
        """Store what was taken."""
        if not self._samples:
            return
        numbers = samples.insert(connection, self._samples)
        rows = [{**query, "sample_n": numbers[sample_id]} for sample_id, query in self._queries.items()]
        queries.insert(connection, rows)
        stream_rows.book(
            connection,
            self._stream.id,
            threshold=self._budget.threshold,
            samples=len(self._samples),
            asked=len(rows),
            open=len(rows),
            seen=self._budget.seen - self._was.seen,
            spent=self._budget.spent - self._was.spent,
        )
        events.add(connection, [event for sample in self._samples for event in self._events(sample)])
        self._parts.metrics.samples.labels(self._stream.name).inc(len(self._samples))
        for query in rows:
            self._parts.metrics.queries.labels(self._stream.name, query["reason"]).inc()
        for sample_id, item in self._truths:
            truth = labeling.Truth(numbers[sample_id], sample_id, to_bytes(item.x), item.said and item.said.label)
            labeling.learn_truth(connection, self._parts, self._stream.name, truth, str(item.sent.label), self._by)

    def _decide(self, item: Scored) -> Decision:
        if item.said is None:
            self._asked_or_known += 1
            return Decision(ask=True, reason="novel", propensity=1.0)
        if self._asked_or_known < self._policy.warmup_labels:
            self._asked_or_known += 1
            return Decision(ask=True, reason="exploration", propensity=1.0)
        ordinal = self._first + len(self._samples) + 1
        wanted = decide(
            STRATEGIES[self._policy.strategy](item.said),
            threshold=self._budget.threshold,
            exploration=self._policy.exploration * self._policy.budget,
            coin=float(uniform(self._stream.learner["seed"], ordinal, Purpose.ASK, 1)[0]),
        )
        asked = wanted.ask and self._budget.affords(self._policy.budget)
        self._budget = self._budget.after(wanted=wanted.ask, asked=asked, share=self._policy.budget)
        if not asked:
            return Decision(ask=False, reason=None, propensity=wanted.propensity)
        self._asked_or_known += 1
        return wanted

    def _query(self, item: Scored, decision: Decision, now: int) -> dict[str, Any]:
        reason: Reason = decision.reason or "uncertain"
        return {
            "id": new_id("q", self._parts.clock),
            "stream_id": self._stream.id,
            "state": queries.OPEN,
            "reason": reason,
            "propensity": decision.propensity,
            "utility": 1.0 if item.said is None else STRATEGIES[self._policy.strategy](item.said),
            "ranked_at": item.version,
            "lease_until": 0,
            "opened_at": now,
        }

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
            "propensity": decision.propensity,
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
