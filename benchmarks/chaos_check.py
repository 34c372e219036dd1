"""Whether everything acknowledged is in the tables exactly once, and the learner is what its log says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from benchmarks.chaos_load import STREAM
from learner.snapshot import state_hash
from service.core.models.training import restore
from service.core.samples.ingestion import answer_of
from service.storage import samples as sample_rows
from service.storage import streams as stream_rows
from service.storage.session import Database
from service.storage.streams import Stream
from service.storage.tables import events, labels, ledgers, log, samples, snapshots, updates

Note = dict[str, Any]


def read_notes(paths: Iterable[Path]) -> list[Note]:
    """Return what was acknowledged."""
    return [json.loads(line) for path in paths if path.exists() for line in path.read_text().splitlines()]


def check(db: Database, notes: list[Note]) -> dict[str, Any]:
    """Compare tables with notes once everything has ended; return what was found, faults by name, all 0 if well."""

    def look(connection: Connection) -> dict[str, Any]:
        stream = stream_rows.by_name(connection, STREAM)
        assert stream is not None
        faults = (
            _samples(connection, stream, notes)
            | _labels(connection, stream, notes)
            | _log(connection, stream)
            | _updates(connection, stream)
        )
        return {
            "acknowledged_samples": sum(note["kind"] == "sample" for note in notes),
            "acknowledged_labels": sum(note["kind"] == "label" or bool(note.get("label")) for note in notes),
            "retractions": sum(note["kind"] == "retraction" for note in notes),
            "log_entries": stream.log_seq,
            "faults": faults,
        }

    found = db.read_now(look)
    found["faults"]["state_unlike_its_log"] = int(not db.read_now(equals_fold))
    return found


def equals_fold(connection: Connection) -> bool:
    """Return whether the state stored last is what folding the whole log anew, without any snapshot, gives."""
    stream = stream_rows.by_name(connection, STREAM)
    assert stream is not None
    chosen = sa.select(snapshots.c.hash).where(snapshots.c.stream_id == stream.id, snapshots.c.seq == stream.log_seq)
    stored = connection.execute(chosen).scalars().all()
    aside = connection.begin_nested()
    connection.execute(snapshots.delete().where(snapshots.c.stream_id == stream.id))
    folded = state_hash(restore(connection, stream, "cpu", until=stream.log_seq))
    aside.rollback()
    return set(stored) == {folded}


def _samples(connection: Connection, stream: Stream, notes: list[Note]) -> dict[str, int]:
    told = {note["answer"]["id"]: note["answer"] for note in notes if note["kind"] == "sample"}
    there = connection.execute(sa.select(samples.c.id).where(samples.c.stream_id == stream.id)).scalars().all()
    found = sample_rows.known(connection, stream.id, list(told))
    booked = connection.execute(sa.select(ledgers.c.samples).where(ledgers.c.stream_id == stream.id)).scalar_one()
    return {
        "contradictions": sum(note["kind"] == "contradiction" for note in notes),
        "samples_lost": len(told.keys() - set(there)),
        "samples_not_acknowledged": len(there) - len(told),
        "samples_changed": sum(id_ in found and answer_of(found[id_]) != said for id_, said in told.items()),
        "samples_booked_wrongly": abs(booked - len(there)),
    }


def _labels(connection: Connection, stream: Stream, notes: list[Note]) -> dict[str, int]:
    rows = connection.execute(sa.select(labels).where(labels.c.stream_id == stream.id)).all()
    by_id = {row.id: row for row in rows}
    told = [note for note in notes if note["kind"] == "label"]
    truths = sum(note["kind"] == "sample" and note["label"] is not None for note in notes)
    taken_back = {note["label_id"] for note in notes if note["kind"] == "retraction"}
    per_sample = Counter(row.sample_n for row in rows if row.retracted_at is None)
    return {
        "labels_lost": sum(note["label_id"] not in by_id for note in told),
        "labels_changed": sum(
            (by_id[note["label_id"]].seq, by_id[note["label_id"]].label) != (note["seq"], note["label"])
            for note in told
            if note["label_id"] in by_id
        ),
        "labels_not_acknowledged": len(rows) - len(told) - truths,
        "samples_labelled_twice": sum(count > 1 for count in per_sample.values()),
        "retractions_wrong": len(taken_back ^ {row.id for row in rows if row.retracted_at is not None}),
    }


def _log(connection: Connection, stream: Stream) -> dict[str, int]:
    seqs = connection.execute(sa.select(log.c.seq).where(log.c.stream_id == stream.id).order_by(log.c.seq)).scalars()
    both = labels.join(log, (log.c.stream_id == labels.c.stream_id) & (log.c.seq == labels.c.seq))
    alike = sa.select(sa.func.count()).select_from(both).where(log.c.label == labels.c.label)
    count = connection.execute(sa.select(sa.func.count()).where(labels.c.stream_id == stream.id)).scalar_one()
    return {
        "gaps_in_log": int(list(seqs) != list(range(1, stream.log_seq + 1))),
        "labels_without_entry": count - connection.execute(alike.where(log.c.stream_id == stream.id)).scalar_one(),
        "not_applied": stream.log_seq - stream.applied_seq,
    }


def _updates(connection: Connection, stream: Stream) -> dict[str, int]:
    learned = connection.execute(sa.select(updates.c.seq).where(updates.c.stream_id == stream.id)).scalars().all()
    chosen = sa.select(events.c.data).where(events.c.stream_id == stream.id, events.c.type == "update")
    told = Counter(data["seq"] for data in connection.execute(chosen).scalars() if "rebuilt" not in data)
    return {
        "updates_told_twice": sum(count > 1 for count in told.values()),
        "updates_not_told": len(set(learned) - told.keys()),
    }
