"""The learner's state as a fold over the log: one entry at a time, from the start or from a snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from learner import BiMURule, LearnerState, OnlineLearner, build, snapshot
from learner.online import LearnInfo
from service.core.inputs import from_bytes
from service.core.specs import AnyInputSpec, LearnerSpec, as_input
from service.storage import log, snapshots
from service.storage.streams import Stream
from service.storage.tables import AnyRow

_PAGE = 256

Progress = Callable[[int, int], None]

logger = structlog.get_logger()


class Apprentice(NamedTuple):
    """A stream's learner and what its log entries hold."""

    learner: OnlineLearner
    input: AnyInputSpec
    initial_classes: tuple[str, ...]

    def start(self) -> LearnerState:
        """Return the state before the first entry."""
        return self.learner.start(self.initial_classes)

    def apply(self, state: LearnerState, entry: AnyRow) -> tuple[LearnerState, LearnInfo | None]:
        """Return the state after one entry that has not been taken back, and what a label did."""
        if entry.kind == log.LABEL:
            return self.learner.learn(state, from_bytes(entry.features, self.input), entry.label, seq=entry.seq)
        if entry.kind == log.CLASS:
            return self.learner.add_class(state, entry.label, seq=entry.seq), None
        return replace(state, seq=entry.seq), None


def apprentice(stream: Stream, device: str) -> Apprentice:
    """Return the learner of a stream."""
    described = json.dumps([stream.input, stream.learner, stream.initial_classes])
    return _apprentice(described, device)


@lru_cache(maxsize=256)
def _apprentice(described: str, device: str) -> Apprentice:
    stored_input, stored_learner, classes = json.loads(described)
    settings = LearnerSpec(**stored_learner)
    rule = BiMURule(
        lr=settings.lr,
        lr_max=settings.lr_max,
        likelihood_multiplier=settings.likelihood_multiplier,
        kl_multiplier=settings.kl_multiplier,
        memory_window=settings.memory_window,
    )
    learner = build(
        stored_input,
        seed=settings.seed,
        hidden=tuple(settings.hidden),
        rule=rule,
        votes=settings.votes,
        components=settings.components,
        rates=tuple(settings.rates),
        gate=settings.gate,
        device=device,
    )
    return Apprentice(learner, as_input(stored_input), tuple(classes))


def restore(
    connection: Connection, stream: Stream, device: str, *, until: int, progress: Progress | None = None
) -> LearnerState:
    """Return the state after entry `until`: the newest sound snapshot, and the entries after it.

    Entries taken back by a retraction up to `until` are left out, so the state is that of a log that never had them.
    """
    made = apprentice(stream, device)
    taken_back = log.retracted(connection, stream.id, until)
    state = _base(connection, stream, made, until, taken_back)
    base = state.seq
    while state.seq < until:
        page = log.entries(connection, stream.id, state.seq, _PAGE, until)
        if not page:
            break
        for entry in page:
            skipped = entry.seq in taken_back
            state = replace(state, seq=entry.seq) if skipped else made.apply(state, entry)[0]
        if progress is not None:
            progress(state.seq - base, until - base)
    return state


def _base(
    connection: Connection, stream: Stream, made: Apprentice, until: int, taken_back: dict[int, int]
) -> LearnerState:
    """Return the newest snapshot that holds no label taken back since, or the start."""
    for row in snapshots.newest_first(connection, stream.id, until + 1):
        if any(target <= row.seq < retraction for target, retraction in taken_back.items()):
            continue
        try:
            return snapshot.restore(snapshots.content(connection, stream.id, row.seq))
        except snapshot.BadSnapshotError as error:
            logger.warning("snapshot.damaged", stream=stream.name, seq=row.seq, error=str(error))
    return made.start()
