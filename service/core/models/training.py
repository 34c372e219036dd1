"""The learner's state as a fold over the log: one entry at a time, from the start or from a snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection

from learner import LearnerState, OnlineLearner, build, snapshot
from learner.online import LearnInfo
from service.core.errors import BeyondHorizonError, BrokenLogError
from service.core.inputs import from_bytes
from service.core.models.lineage import Lineage
from service.core.specs import AnyInputSpec, LearnerSpec, as_input
from service.storage import log, snapshots
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_PAGE = 256

Progress = Callable[[int, int], None]
Damaged = Callable[[AnyRow, str], None]

logger = structlog.get_logger()


class Apprentice(NamedTuple):
    """A stream's learner and what its log entries hold."""

    learner: OnlineLearner
    input: AnyInputSpec
    initial_classes: tuple[str, ...]

    def start(self) -> LearnerState:
        """Return the state before the first entry."""
        return self.learner.start(self.initial_classes)

    def apply(
        self, state: LearnerState, entry: AnyRow, label: str | None = None
    ) -> tuple[LearnerState, LearnInfo | None]:
        """Return the state after one entry that stands, and what a label did; `label` is what a correction made of it.

        Raises:
            BeyondHorizonError: where a label's features are gone.
        """
        named = entry.label if label is None else label
        if entry.kind == log.LABEL:
            if entry.features is None:
                raise BeyondHorizonError(f"the features of entry {entry.seq} are gone")
            return self.learner.learn(state, from_bytes(entry.features, self.input), named, seq=entry.seq)
        if entry.kind == log.CLASS:
            return self.learner.add_class(state, named, seq=entry.seq), None
        return replace(state, seq=entry.seq), None


def apprentice(stream: Stream, device: str) -> Apprentice:
    """Return the learner of a stream."""
    described = json.dumps([stream.input, stream.learner, stream.initial_classes])
    return _apprentice(described, device)


@lru_cache(maxsize=256)
def _apprentice(described: str, device: str) -> Apprentice:
    stored_input, stored_learner, classes = json.loads(described)
    learner = learner_of(stored_input, LearnerSpec(**stored_learner), device)
    return Apprentice(learner, as_input(stored_input), tuple(classes))


def learner_of(described: Mapping[str, Any], settings: LearnerSpec, device: str) -> OnlineLearner:
    """Return the learner that a stream with such an input and such settings has."""
    return build(
        described,
        seed=settings.seed,
        hidden=tuple(settings.hidden),
        rule=settings.rule(),
        votes=settings.votes,
        components=settings.components,
        rates=tuple(settings.rates),
        gate=settings.gate,
        fixed_point=settings.fixed_point,
        device=device,
    )


class Replay:
    """The way from a state to a later moment of the log, entry by entry, so that whoever drives it may pause.

    With `stop` it ends at an earlier entry, with the revisions that the moment knows.
    """

    def __init__(
        self, made: Apprentice, stream: Stream, lineage: Lineage, base: LearnerState, *, stop: int | None = None
    ) -> None:
        self.state = base
        self.lineage = lineage
        self.stop = lineage.until if stop is None else stop
        self.done = 0
        self.total = sum(max(0, min(span.last, self.stop) - span.first + 1) for span in lineage.after(base.seq))
        self._made = made
        self._stream = stream
        self._at = base.seq

    @property
    def finished(self) -> bool:
        """Whether the state is that of the moment."""
        return self._at >= self.stop

    def read(self, connection: Connection, limit: int) -> Sequence[AnyRow]:
        """Return the next entries on the way.

        Raises:
            BrokenLogError: where one is missing.
        """
        span = self.lineage.after(self._at)[0]
        page = log.entries(connection, self._stream.id, span.first - 1, limit, min(span.last, self.stop))
        if [entry.seq for entry in page] != list(range(span.first, span.first + len(page))) or not page:
            raise BrokenLogError(f"the log of '{self._stream.name}' is not whole after entry {span.first - 1}")
        return page

    def apply(self, entry: AnyRow) -> LearnInfo | None:
        """Take one entry; return what its label did, if it is a label that stands."""
        info = None
        if self.lineage.stands(entry.seq):
            label = self.lineage.label_of(entry.seq, entry.label)
            self.state, info = self._made.apply(self.state, entry, label)
        else:
            self.state = replace(self.state, seq=entry.seq)
        self._at = entry.seq
        self.done += 1
        return info


def restore(
    connection: Connection,
    stream: Stream,
    device: str,
    *,
    until: int,
    progress: Progress | None = None,
    damaged: Damaged | None = None,
    held: Iterable[LearnerState] = (),
) -> LearnerState:
    """Return the state after entry `until`: the newest sound snapshot that leads there, and the entries after it.

    Where one of the states `held` leads there too and is newer, it begins with that.

    What was taken back, corrected or rolled back up to `until` counts as that says, so the state is that of a log
    that never had it otherwise.

    Raises:
        BeyondHorizonError: where the entries that this needs have lost their features.
    """
    made = apprentice(stream, device)
    lineage = Lineage.of(log.revisions(connection, stream.id, 0, until), until)
    replay = Replay(made, stream, lineage, base_of(connection, stream, made, lineage, held=held, damaged=damaged))
    while not replay.finished:
        for entry in replay.read(connection, _PAGE):
            replay.apply(entry)
        if progress is not None:
            progress(replay.done, replay.total)
    return replay.state


def base_of(
    connection: Connection,
    stream: Stream,
    made: Apprentice,
    lineage: Lineage,
    *,
    held: Iterable[LearnerState] = (),
    damaged: Damaged | None = None,
) -> LearnerState:
    """Return the newest state that leads to a moment: one of those `held`, a sound snapshot, or the start.

    `damaged` is told of every snapshot that would have done but cannot be read.

    Raises:
        BeyondHorizonError: where there is none, and the log's beginning has lost its features.
    """
    known = max((state for state in held if lineage.continues(state.seq, state.seq)), key=_seq_of, default=None)
    for row in snapshots.newest_first(connection, stream.id, sound=True):
        if known is not None and row.seq <= known.seq:
            break
        if not lineage.continues(row.seq, row.as_of):
            continue
        try:
            return read_snapshot(connection, stream, row)
        except snapshot.BadSnapshotError as error:
            logger.warning("snapshot.damaged", stream=stream.name, seq=row.seq, error=str(error))
            if damaged is not None:
                damaged(row, str(error))
    if known is not None:
        return known
    if stream.horizon_seq:
        raise BeyondHorizonError(
            f"the state of '{stream.name}' after entry {lineage.until} can no longer be computed: the features of "
            f"entries up to {stream.horizon_seq} are gone"
        )
    return made.start()


def read_snapshot(connection: Connection, stream: Stream, row: AnyRow) -> LearnerState:
    """Return the state that a snapshot holds.

    Raises:
        BadSnapshotError: where its bytes are not what was stored, or not readable here.
    """
    content = snapshots.content(connection, stream.id, row.seq, row.as_of)
    if content is None:
        raise snapshot.BadSnapshotError("the snapshot is gone")
    if snapshots.digest(content) != row.content_hash:
        raise snapshot.BadSnapshotError("the snapshot is damaged: its bytes do not fit their hash")
    state = snapshot.restore(content)
    if snapshot.state_hash(state) != row.hash or state.seq != row.seq:
        raise snapshot.BadSnapshotError("the snapshot is damaged: it holds another state than it says")
    return state


def _seq_of(state: LearnerState) -> int:
    return state.seq
