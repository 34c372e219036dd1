"""The people who answer: how much, how fast, how often like the others, and how often right."""

from __future__ import annotations

from statistics import median
from typing import Any

from sqlalchemy import Connection

from learner.asking.agreement import krippendorff_alpha, percent_agreement
from learner.watching.accuracy import weighted_share
from service.core import streams
from service.core.labels.judging import reliability
from service.storage import answers
from service.storage.tables import AnyRow

_NEWEST = 1000
"""Answers of a person, and samples that several answered, which medians and agreement are taken over."""

Row = dict[str, Any]


def report(connection: Connection, name: str) -> Row:
    """Return everybody who answered in a stream, and how far they agree."""
    stream = streams.find(connection, name)
    skips = answers.skipped(connection, stream.id)
    known = answers.every_annotator(connection, stream.id)
    shared = [said for said in answers.newest_shared(connection, stream.id, _NEWEST) if len(said) > 1]
    return {
        "items": [_person(connection, stream.id, row, skips.get(row.by_id, 0)) for row in known],
        "agreement": {
            "percent": percent_agreement(shared),
            "alpha": krippendorff_alpha(shared),
            "samples": len(shared),
        },
    }


def _person(connection: Connection, stream_id: int, row: AnyRow, skips: int) -> Row:
    durations = answers.newest_durations(connection, stream_id, row.by_id, _NEWEST)
    return {
        "id": row.by_id,
        "name": row.by,
        "answers": row.answers,
        "skips": skips,
        "median_duration_ms": median(durations) if durations else None,
        "agreement": _share(row.agreed, row.compared),
        "gold": _share(row.gold_right, row.gold),
        "reliability": reliability(row).mean,
    }


def _share(right: int, count: int) -> Row:
    """Return a share with Wilson's interval."""
    found = weighted_share(right, count, count)
    estimate, low, high = (None, None, None) if found is None else found
    return {"estimate": estimate, "low": low, "high": high, "answers": count}
