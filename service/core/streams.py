"""Making, changing and removing streams."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from learner.building import default_components, encoder_of
from learner.encoders import ImageEncoder, VectorEncoder
from learner.memory.recollection import QUICK
from learner.synapses.gating import gating
from service.clock import iso
from service.core.errors import ConflictError, NotFoundError, UnacceptableError
from service.core.idempotency import Answer, RequestKey, once
from service.core.parts import Parts
from service.core.specs import InputSpec, LearnerSpec, QuerySpec, RetentionSpec
from service.events import Topic
from service.storage import events, log, streams
from service.storage.streams import Stream

_POLICY = ("query", "retention", "open_classes")


def find(connection: Connection, name: str) -> Stream:
    """Return the stream of that name.

    Raises:
        NotFoundError: where there is none.
    """
    stream = streams.by_name(connection, name)
    if stream is None:
        raise NotFoundError(f"there is no stream '{name}'")
    return stream


def find_locked(connection: Connection, name: str) -> Stream:
    """Return the stream of that name, locked until the transaction ends."""
    return locked(connection, find(connection, name).id, name)


def locked(connection: Connection, stream_id: int, name: str) -> Stream:
    """Return the stream of that id, which has that name, locked until the transaction ends."""
    stream = streams.lock(connection, stream_id)
    if stream is None:
        raise NotFoundError(f"there is no stream '{name}'")
    return stream


def body(stream: Stream) -> dict[str, Any]:
    """Return a stream as the contract has it."""
    return {
        "name": stream.name,
        "input": stream.input,
        "classes": stream.classes,
        "open_classes": stream.open_classes,
        "learner": stream.learner,
        "query": stream.query,
        "guidelines": stream.guidelines,
        "colours": stream.colours,
        "retention": RetentionSpec(**(stream.retention or {})).model_dump(),
        "horizon_seq": stream.horizon_seq,
        "created_at": iso(stream.created_at),
    }


async def create(
    parts: Parts,
    *,
    name: str,
    input_spec: InputSpec,
    classes: list[str],
    open_classes: bool,
    learner: LearnerSpec,
    query: QuerySpec,
    guidelines: str,
    colours: dict[str, str],
    key: RequestKey | None,
    retention: RetentionSpec | None = None,
) -> Answer:
    """Make a stream.

    Raises:
        ConflictError: where the name is taken.
        UnacceptableError: where nothing could ever be learned.
    """
    _check_classes(parts, classes, "/classes")
    if not classes and not open_classes:
        raise UnacceptableError.at("/classes", "a stream with closed classes needs at least one class")

    if learner.components is None:
        learner = learner.model_copy(update={"components": default_components(input_spec.kind)})
    _check_size(parts, input_spec, learner, len(classes))

    def work(connection: Connection) -> Answer:
        stream = streams.insert(
            connection,
            name=name,
            input=input_spec.model_dump(),
            initial_classes=classes,
            classes=classes,
            open_classes=open_classes,
            learner=learner.model_dump(),
            query=query.model_dump(),
            guidelines=guidelines,
            colours=colours,
            retention=(retention or RetentionSpec()).model_dump(),
            created_at=parts.clock.now(),
        )
        if stream is None:
            raise ConflictError(f"there is a stream '{name}' already")
        return Answer(201, body(stream), stream.id)

    answer = await parts.db.write(lambda c: once(c, parts.clock, key, lambda: work(c)))
    made = await parts.db.read(lambda c: streams.by_name(c, name))
    if made is not None:
        parts.tell(made.id, Topic.STREAMS_CHANGED)
    return answer


async def change(
    parts: Parts,
    name: str,
    *,
    query: dict[str, Any] | None,
    add_classes: list[str],
    retention: dict[str, Any] | None = None,
    **values: Any,
) -> dict[str, Any]:
    """Change query policy, retention, guidelines or colours, and add classes; what is not named stays.

    A changed policy is an entry of the log, so that history tells by which rule was asked.
    """

    def work(connection: Connection) -> Stream:
        stream = find_locked(connection, name)
        if query is not None:
            values["query"] = QuerySpec(**(stream.query | query)).model_dump()
        if retention is not None:
            values["retention"] = RetentionSpec(**((stream.retention or {}) | retention)).model_dump()
        changes = {
            field: value for field, value in values.items() if value is not None and value != getattr(stream, field)
        }
        new = [label for label in dict.fromkeys(add_classes) if label not in stream.classes]
        if new:
            changes["classes"] = [*stream.classes, *new]
            _check_classes(parts, changes["classes"], "/add_classes")
        policy = {name: changes[name] for name in _POLICY if name in changes and changes[name] != getattr(stream, name)}
        if policy:
            log.append(connection, stream.id, log.POLICY, parts.clock.now(), detail=policy)
        for label in new:
            log.append(connection, stream.id, log.CLASS, parts.clock.now(), label=label)
        if changes:
            streams.update(connection, stream.id, **changes)
            events.add(connection, [_changed(stream, parts.clock.now(), new)])
        return find(connection, name)

    stream = await parts.db.write(work)
    parts.tell(stream.id, Topic.LOG_GREW, Topic.EVENTS_ADDED)
    return body(stream)


async def remove(parts: Parts, name: str) -> None:
    """Remove a stream with everything in it."""

    def work(connection: Connection) -> int:
        stream = find_locked(connection, name)
        streams.delete(connection, stream.id)
        return stream.id

    stream_id = await parts.db.write(work)
    parts.forget(stream_id)
    parts.tell(stream_id, Topic.STREAMS_CHANGED)


def _check_classes(parts: Parts, classes: list[str], pointer: str) -> None:
    if len(set(classes)) != len(classes):
        twice = next(label for label in classes if classes.count(label) > 1)
        raise UnacceptableError.at("/classes", f"classes must differ; '{twice}' is there more than once")
    most = parts.settings.max_classes
    if len(classes) > most:
        raise UnacceptableError.at(pointer, f"a stream may have at most {most} classes, got {len(classes)}")


def _check_size(parts: Parts, input_spec: InputSpec, learner: LearnerSpec, classes: int) -> None:
    """Refuse a network or memories larger than one stream may have, before anything of them is made."""
    encoder = encoder_of(input_spec.model_dump())
    gates = gating(learner.gate, encoder.features, tuple(learner.hidden), learner.seed)
    sizes = [gates.width + 1, *learner.hidden, max(classes, 1)]
    synapses = gates.signs + sum(fan_in * fan_out for fan_in, fan_out in pairwise(sizes))
    # A text's memory has one component and one rate, whatever the settings.
    slow = learner.components or default_components(input_spec.kind)
    quick = min(slow, QUICK) * max(0, len(learner.rates) - 1)
    copies = 1 if input_spec.kind == "text" else (slow + quick) * bool(learner.rates)
    remembered = encoder.bits * copies * max(classes, 1)
    most = parts.settings.max_synapses
    if isinstance(encoder, VectorEncoder | ImageEncoder) and encoder.signs > most:
        raise UnacceptableError.at(
            "/input/projection",
            f"the random sign projection would have {encoder.signs:,} signs, at most {most:,} are allowed; "
            "choose a smaller projection or a smaller input",
        )
    if max(synapses, remembered) > most:
        raise UnacceptableError.at(
            "/learner",
            f"the learner would have {synapses:,} synapses and {remembered:,} remembered bits, at most {most:,} of "
            "each are allowed; choose a smaller input, smaller hidden layers, fewer components or no gate",
        )


def _changed(stream: Stream, now: int, new: list[str]) -> dict[str, Any]:
    return {"stream_id": stream.id, "type": "stream", "data": {"stream": stream.name, "new_classes": new}, "at": now}
