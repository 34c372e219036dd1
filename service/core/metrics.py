"""What Prometheus scrapes. Names carry the prefix `engram_` and base units."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One registry for one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Histogram(
            "engram_http_request_duration_seconds",
            "Time to answer a request.",
            ("method", "route", "status"),
            buckets=_FAST,
            registry=own,
        )
        self.samples = Counter("engram_samples_total", "Samples accepted.", ("stream",), registry=own)
        self.queries = Counter("engram_queries_total", "Queries opened.", ("stream", "reason"), registry=own)
        self.unanswered = Counter(
            "engram_queries_unanswered_total",
            "Queries withdrawn or expired before anybody answered.",
            ("stream", "state"),
            registry=own,
        )
        self.labels = Counter("engram_labels_total", "Labels accepted.", ("stream", "source"), registry=own)
        self.updates = Counter("engram_updates_total", "Labels applied to the learner.", ("stream",), registry=own)
        self.update_seconds = Histogram(
            "engram_update_duration_seconds", "Time to apply one label.", ("stream",), buckets=_FAST, registry=own
        )
        self.score_seconds = Histogram(
            "engram_score_duration_seconds", "Time to score one sample.", ("stream",), buckets=_FAST, registry=own
        )
        self.snapshots = Counter("engram_snapshots_total", "Snapshots written.", ("stream",), registry=own)
        self.damaged = Counter(
            "engram_snapshots_damaged_total", "Stored snapshots found damaged.", ("stream",), registry=own
        )
        self.rebuilds = Counter(
            "engram_rebuilds_total",
            "Models rebuilt after a correction, retraction or rollback.",
            ("stream",),
            registry=own,
        )
        self.drifts = Counter(
            "engram_drift_alarms_total", "Signs that a stream has changed.", ("stream",), registry=own
        )
        self.version = Gauge("engram_model_version", "Log entries applied to the learner.", ("stream",), registry=own)
        self.worker_failures = Counter(
            "engram_worker_failures_total", "Failed rounds of the worker, or of following it.", registry=own
        )
        self.streams_held = Gauge("engram_streams_held", "Streams that this process's worker writes.", registry=own)
        self.streams_lost = Counter(
            "engram_streams_lost_total", "Streams that another worker took from this one.", registry=own
        )
