"""What operators watch: counts, rates, honest accuracy, uncertainty, and whether the learner can still learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from learner.watching.health import layer_health
from service.clock import SECOND, iso
from service.core import accuracy, streams
from service.core.errors import UnacceptableError
from service.core.models import jobs
from service.core.parts import Parts
from service.core.spending import spending_body
from service.storage import log, queue, samples, snapshots, watches
from service.storage import streams as stream_rows
from service.storage.streams import Ledger, Stream
from service.storage.tables import AnyRow

_STEPS = 120
"""Points of a plot whose span nobody named."""

_MOST_STEPS = 10_000


def stats(connection: Connection, parts: Parts, name: str) -> dict[str, Any]:
    """Return a stream's figures."""
    stream = streams.find(connection, name)
    ledger = stream_rows.ledger(connection, stream.id)
    state = parts.models.state(stream)
    window = samples.window(connection, stream.id, parts.settings.window_samples)
    newest = snapshots.newest_first(connection, stream.id)
    return {
        "stream": name,
        "model_version": state.seq,
        "applied_seq": stream.applied_seq,
        "log_seq": stream.log_seq,
        "label_lag": _lag(connection, parts, stream, state.seq),
        "samples": ledger.samples,
        "labels": ledger.labels,
        "queries": _queue(connection, parts, stream, ledger),
        "query_rate": {
            "overall": ledger.asked / ledger.samples if ledger.samples else None,
            "window": window.asked / window.samples if window.samples else None,
            "window_samples": window.samples,
            "budget": stream.query["budget"],
        },
        "spending": spending_body(stream, ledger, parts.clock.now()),
        "accuracy": accuracy.of_now(connection, stream.id, parts.settings.window_samples),
        "drift": watches.alarms(connection, stream.id),
        "uncertainty": {
            "predictive_entropy": window.predictive_entropy,
            "epistemic": window.epistemic,
            "variation_ratio": window.variation_ratio,
        },
        "health": {
            "layers": [layer._asdict() for layer in layer_health(state.layers)],
            "mean_update": log.mean_step(connection, stream.id, parts.settings.window_samples),
            "classes": dict(zip(state.classes, state.counts, strict=True)),
        },
        "rebuild": jobs.rebuild_of(connection, stream.id),
        "snapshot": {"seq": newest[0].seq, "at": iso(newest[0].at)} if newest else None,
        "damaged_snapshots": sum(row.damaged_at is not None for row in newest),
        "horizon_seq": stream.horizon_seq,
    }


def timeseries(
    connection: Connection, name: str, metric: str, start: int | None, end: int | None, step: int | None
) -> dict[str, Any]:
    """Return a metric over time; without bounds, over the stream's whole life in about 120 steps.

    Raises:
        UnacceptableError: where the metric is unknown or the span holds too many steps.
    """
    if metric not in METRICS:
        raise UnacceptableError.at("/query/metric", f"metric must be one of {', '.join(METRICS)}, got '{metric}'")
    stream = streams.find(connection, name)
    first, last = _life(connection, stream)
    start, end = first if start is None else start, (last + 1 if end is None else end)
    if end <= start:
        raise UnacceptableError.at("/query/to", "'to' must be after 'from'")
    width = max(SECOND, -(-(end - start) // _STEPS)) if step is None else step * SECOND
    if (end - start) / width > _MOST_STEPS:
        raise UnacceptableError.at(
            "/query/step", f"the span holds more than {_MOST_STEPS} steps; choose a longer 'step'"
        )
    points = METRICS[metric](connection, stream, start, end, width)
    return {
        "metric": metric,
        "step": width / SECOND,
        "points": [{"at": iso(start + point["bucket"] * width), **_without_bucket(point)} for point in points],
    }


def cost_curve(connection: Connection, name: str, points: int) -> dict[str, Any]:
    """Return what accuracy so many labels bought, along the stream's whole life."""
    stream = streams.find(connection, name)
    start, last = _life(connection, stream)
    width = max(1, -(-(last + 1 - start) // (_STEPS * 10)))
    return {"points": accuracy.cost_curve(connection, stream.id, start, last + 1, width, points)}


def _lag(connection: Connection, parts: Parts, stream: Stream, applied: int) -> dict[str, Any]:
    oldest = log.oldest_unapplied(connection, stream.id, applied) if applied < stream.log_seq else None
    seconds = 0.0 if oldest is None else max(0.0, (parts.clock.now() - oldest) / SECOND)
    return {"entries": max(0, stream.log_seq - applied), "seconds": seconds}


def _queue(connection: Connection, parts: Parts, stream: Stream, ledger: Ledger) -> dict[str, Any]:
    now = parts.clock.now()
    oldest, leased = queue.oldest_open(connection, stream.id), queue.leased(connection, stream.id, now)
    return {
        "asked": ledger.asked,
        "open": ledger.open - leased,
        "leased": leased,
        "answered": ledger.answered,
        "skipped": ledger.skipped,
        "withdrawn": ledger.withdrawn,
        "expired": ledger.expired,
        "stalest_version": stream.ranked_seq if ledger.open else None,
        "oldest_open_seconds": None if oldest is None else max(0.0, (now - oldest) / SECOND),
    }


def _life(connection: Connection, stream: Stream) -> tuple[int, int]:
    spans = [span for span in (samples.span(connection, stream.id), log.span(connection, stream.id)) if span]
    if not spans:
        return stream.created_at, stream.created_at + SECOND
    return min(span[0] for span in spans), max(span[1] for span in spans)


def _without_bucket(point: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in point.items() if name != "bucket"}


def _point(bucket: int, value: float | None, count: int) -> dict[str, Any]:
    return {"bucket": int(bucket), "value": value, "low": None, "high": None, "count": count}


def _running_accuracy(
    connection: Connection, stream: Stream, start: int, end: int, width: int
) -> Sequence[dict[str, Any]]:
    """Return accuracy over everything from `start` up to each step, so that the interval narrows as labels come."""
    return [
        _point(bucket, found.estimate, labels) | {"low": found.low, "high": found.high}
        for bucket, found, labels in accuracy.running(connection, stream.id, start, end, width)
    ]


def _of_samples(value: Callable[[AnyRow], float | None]) -> _Series:
    def series(connection: Connection, stream: Stream, start: int, end: int, width: int) -> Sequence[dict[str, Any]]:
        rows = samples.per_step(connection, stream.id, start, end, width)
        return [_point(row.bucket, value(row), row.samples) for row in rows]

    return series


def _labels(connection: Connection, stream: Stream, start: int, end: int, width: int) -> Sequence[dict[str, Any]]:
    rows = log.labels_per_step(connection, stream.id, start, end, width)
    return [_point(row.bucket, row.labels, row.labels) for row in rows]


def _label_lag(connection: Connection, stream: Stream, start: int, end: int, width: int) -> Sequence[dict[str, Any]]:
    rows = log.lag_per_step(connection, stream.id, start, end, width)
    return [_point(row.bucket, float(row.lag) / SECOND, row.updates) for row in rows]


_Series = Callable[[Connection, Stream, int, int, int], Sequence[dict[str, Any]]]

METRICS: Mapping[str, _Series] = MappingProxyType(
    {
        "accuracy": _running_accuracy,
        "query_rate": _of_samples(lambda row: row.asked / row.samples),
        "predictive_entropy": _of_samples(lambda row: row.predictive_entropy),
        "epistemic": _of_samples(lambda row: row.epistemic),
        "variation_ratio": _of_samples(lambda row: row.variation_ratio),
        "samples": _of_samples(lambda row: row.samples),
        "labels": _labels,
        "label_lag": _label_lag,
    }
)
"""What can be plotted, by name."""
