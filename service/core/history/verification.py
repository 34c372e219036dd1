"""Proving that a stream is what its log says: the chain of hashes, the labels, and every snapshot by replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from learner import LearnerState, snapshot
from service.core import streams
from service.core.errors import EngramError
from service.core.models.lineage import Lineage
from service.core.models.origin import differences, origin
from service.core.models.training import Replay, apprentice, read_snapshot
from service.storage import chain, log, snapshots
from service.storage.session import Database
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_PAGE = 256

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found: how much it looked at, what is wrong, and what was computed elsewhere."""

    entries: int
    horizon: int
    snapshots: int
    failures: tuple[str, ...]
    notes: tuple[str, ...]


def verify(db: Database, name: str, device: str, progress: Progress | None = None) -> Report:
    """Check a stream's log and labels, and compare the state hash of every stored snapshot with a replay.

    Raises:
        NotFoundError: where there is no such stream.
    """
    stream = db.read_now(lambda c: streams.find(c, name))
    failures = [*_broken_links(db, stream), *db.read_now(lambda c: _wrong_labels(c, stream))]
    check = _Snapshots(db, stream, device, progress)
    failures += check.failures()
    return Report(stream.log_seq, stream.horizon_seq, len(check.rows), tuple(failures), tuple(check.notes))


def _broken_links(db: Database, stream: Stream) -> Iterator[str]:
    """Tell the first entry that is missing, or whose content is not what its hash was made of."""
    after = stream.horizon_seq
    before = db.read_now(lambda c: log.hash_of(c, stream.id, after))
    while after < stream.log_seq:
        page = db.read_now(lambda c, last=after: log.entries(c, stream.id, last, _PAGE, stream.log_seq))  # type: ignore[misc]
        for entry in page:
            before = chain.link(
                before,
                seq=entry.seq,
                kind=entry.kind,
                label=entry.label,
                features=entry.features,
                target_seq=entry.target_seq,
                at=entry.at,
                detail=entry.detail,
            )
            if entry.seq != after + 1:
                break
            if entry.features is None and entry.seq <= db.read_now(lambda c: streams.find(c, stream.name)).horizon_seq:
                before = entry.hash  # the horizon moved meanwhile
            if before != entry.hash:
                yield f"entry {entry.seq} of the log is not what was written: its content does not fit its hash"
                return
            after = entry.seq
        if not page or page[-1].seq != after:
            yield f"entry {after + 1} of the log is missing"
            return


def _wrong_labels(connection: Connection, stream: Stream) -> list[str]:
    """Tell the first label that says something else than the log."""
    lineage = Lineage.of(log.revisions(connection, stream.id, 0, stream.log_seq), stream.log_seq)
    for row in log.labels_from(connection, stream.id, 1):
        if row.seq > stream.log_seq:
            break
        said = lineage.label_of(row.seq, row.original) if lineage.stands(row.seq) else None
        found = row.label if row.retracted_at is None else None
        if said != found:
            shown = ["taken back" if label is None else f"'{label}'" for label in (found, said)]
            return [f"the label of entry {row.seq} ({row.id}) is {shown[0]}, but by the log {shown[1]}"]
    return []


class _Snapshots:
    """Replays to every snapshot in turn, from the newest one before it that a replay has proved."""

    def __init__(self, db: Database, stream: Stream, device: str, progress: Progress | None) -> None:
        self._db = db
        self._stream = stream
        self._made = apprentice(stream, device)
        self._here = origin(device)
        self._progress = progress
        self._revisions = db.read_now(lambda c: log.revisions(c, stream.id, 0, stream.log_seq))
        found = db.read_now(lambda c: snapshots.newest_first(c, stream.id))
        self.rows = sorted((row for row in found if row.as_of <= stream.log_seq), key=lambda row: (row.as_of, row.seq))
        self.notes: list[str] = []
        self._proved: list[tuple[AnyRow, LearnerState | None]] = []

    def failures(self) -> Iterator[str]:
        """Tell every snapshot that does not hold, the earliest first."""
        last = self.rows[-1].seq if self.rows else 0
        for row in self.rows:
            try:
                stored = self._db.read_now(lambda c, row=row: read_snapshot(c, self._stream, row))  # type: ignore[misc]
                wrong = None if row.pinned else self._compare(row)
            except (snapshot.BadSnapshotError, EngramError) as error:
                wrong, stored = str(error), None
            elsewhere = differences(row.header, self._here)
            if elsewhere:
                self.notes.append(f"snapshot {_named(row)} was made elsewhere: {'; '.join(elsewhere)}")
            if wrong is None:
                self._proved = [*((proved, None) for proved, _ in self._proved), (row, stored)]
            else:
                why = f"; it was made elsewhere: {'; '.join(elsewhere)}" if elsewhere else ""
                yield f"snapshot {_named(row)}: {wrong}{why}"
            if self._progress is not None:
                self._progress(row.seq, last)

    def _compare(self, row: AnyRow) -> str | None:
        lineage = Lineage.of(self._revisions, row.as_of)
        replay = Replay(self._made, self._stream, lineage, self._base(row, lineage), stop=row.seq)
        while not replay.finished:
            for entry in self._db.read_now(lambda c: replay.read(c, _PAGE)):
                replay.apply(entry)
        if snapshot.state_hash(replay.state) == row.hash:
            return None
        return "the log gives another state than it holds"

    def _base(self, row: AnyRow, lineage: Lineage) -> LearnerState:
        for proved, state in sorted(self._proved, key=lambda pair: -pair[0].seq):
            if proved.seq <= row.seq and lineage.continues(proved.seq, proved.as_of):
                return state or self._db.read_now(lambda c, of=proved: read_snapshot(c, self._stream, of))  # type: ignore[misc]
        return self._made.start()


def _named(row: AnyRow) -> str:
    return f"{row.seq}" if row.as_of == row.seq else f"{row.seq} (as of {row.as_of})"
