"""The way in: a sample is parsed, scored, perhaps asked, and stored whole in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from sqlalchemy import Connection

from learner import Prediction
from learner.asking.budget import Budget
from learner.asking.selection import Decision, Reason, decide
from learner.asking.strategies import STRATEGIES
from learner.encoders import Input
from learner.noise import Purpose, uniform
from service.core import labeling, streams
from service.core.access import Principal
from service.core.errors import EngramError
from service.core.idempotency import Answer, RequestKey, once
from service.core.identity import new_id
from service.core.inputs import parse, to_bytes
from service.core.parts import Parts
from service.core.scoring import prediction_body, uncertainty_body
from service.core.specs import QuerySpec, as_input
from service.events import Topic
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
class _Scored:
    """A sample ready to be stored."""

    sent: SampleIn
    x: Input
    said: Prediction | None
    version: int


Outcome = dict[str, Any] | EngramError


async def ingest(
    parts: Parts, name: str, sent: Sequence[SampleIn | EngramError], by: Principal, key: RequestKey | None
) -> Answer:
    """Accept samples of one stream: answer each with prediction, uncertainty and query, or with what is wrong.

    Samples of one call share one model version and one commit; what could not be parsed comes as its error.
    """
    stream, prepared = await anyio.to_thread.run_sync(_prepare, parts, name, sent)

    def work(connection: Connection) -> Answer:
        outcomes = enumerate(_store(connection, parts, stream, prepared, by))
        results = [
            found.as_problem(inside=f"/samples/{n}") if isinstance(found, EngramError) else found
            for n, found in outcomes
        ]
        return Answer(200, {"results": results})

    answer = await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))
    parts.tell(stream.id, Topic.EVENTS_ADDED, Topic.QUEUE_GREW, Topic.LOG_GREW)
    return answer


async def ingest_one(parts: Parts, name: str, sent: SampleIn, by: Principal, key: RequestKey | None) -> Answer:
    """Accept one sample.

    Raises:
        EngramError: where it is not acceptable.
    """
    stream, prepared = await anyio.to_thread.run_sync(_prepare, parts, name, [sent])

    def work(connection: Connection) -> Answer:
        outcome = _store(connection, parts, stream, prepared, by)[0]
        if isinstance(outcome, EngramError):
            raise outcome
        return Answer(200, outcome)

    answer = await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))
    parts.tell(stream.id, Topic.EVENTS_ADDED, Topic.QUEUE_GREW, Topic.LOG_GREW)
    return answer


def _prepare(
    parts: Parts, name: str, sent: Sequence[SampleIn | EngramError]
) -> tuple[Stream, list[_Scored | EngramError]]:
    """Parse and score; a sample that is not acceptable becomes its error."""
    stream = parts.db.read_now(lambda c: streams.find(c, name))
    spec = as_input(stream.input)
    scorer = parts.models.scorer(stream)
    prepared: list[_Scored | EngramError] = []
    for sample in sent:
        if isinstance(sample, EngramError):
            prepared.append(sample)
            continue
        try:
            x = parse(sample.data, spec, max_pixels=parts.settings.max_image_pixels)
        except EngramError as error:
            prepared.append(error)
            continue
        with parts.metrics.score_seconds.labels(name).time():
            said = scorer.predict(x)
        prepared.append(_Scored(sample, x, said, scorer.seq))
    return stream, prepared


def _store(
    connection: Connection, parts: Parts, known: Stream, prepared: Sequence[_Scored | EngramError], by: Principal
) -> list[Outcome]:
    """Decide and write; a sample whose id is there already is answered as the first time."""
    stream = streams.find_locked(connection, known.name)
    intake = _Intake(parts, stream, stream_rows.ledger(connection, stream.id), by)
    ids = [item.sent.id for item in prepared if isinstance(item, _Scored) and item.sent.id is not None]
    answers = {row.id: answer_of(row) for row in samples.known(connection, stream.id, ids).values()}
    outcomes: list[Outcome] = []
    for item in prepared:
        if isinstance(item, EngramError):
            outcomes.append(item)
        elif item.sent.id is not None and item.sent.id in answers:
            outcomes.append(answers[item.sent.id])
        else:
            outcome = intake.take(item)
            outcomes.append(outcome)
            if not isinstance(outcome, EngramError):
                answers[outcome["id"]] = outcome
    intake.write(connection)
    return outcomes


def answer_of(row: Any) -> dict[str, Any]:
    """Return the answer that a stored sample was given at arrival."""
    query = None
    if row.query_id is not None:
        query = {"id": row.query_id, "reason": row.reason, "propensity": row.query_propensity}
    return {
        "id": row.id,
        "prediction": row.prediction,
        "uncertainty": row.uncertainty,
        "query": query,
        "model_version": row.model_version,
    }


class _Intake:
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
        self._truths: list[tuple[str, _Scored]] = []
        self._classes = list(stream.classes)

    def take(self, item: _Scored) -> Outcome:
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

    def _decide(self, item: _Scored) -> Decision:
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

    def _query(self, item: _Scored, decision: Decision, now: int) -> dict[str, Any]:
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

    def _sample(self, item: _Scored, sample_id: str, decision: Decision, now: int) -> dict[str, Any]:
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
