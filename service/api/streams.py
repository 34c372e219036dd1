"""Streams: make, look at, change, remove."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from service.api.bodies import Page, StreamAnswer, StreamBody, StreamPatch
from service.api.dependencies import Cursor, Key, Limit, Operator, PartsOf, Reader, after_cursor, cursor_of
from service.api.replies import Reply
from service.api.routing import StrictRoute
from service.core import streams
from service.storage import streams as rows

router = APIRouter(prefix="/v1/streams", tags=["streams"], route_class=StrictRoute)


@router.post("", status_code=201, response_model=StreamAnswer)
async def create(body: StreamBody, parts: PartsOf, _caller: Operator, key: Key) -> Response:
    """Make a stream."""
    answer = await streams.create(
        parts,
        name=body.name,
        input_spec=body.input,
        classes=body.classes,
        open_classes=body.open_classes,
        learner=body.learner,
        query=body.query,
        guidelines=body.guidelines,
        colours=body.colours,
        retention=body.retention,
        key=key,
    )
    return Reply(answer.body, status_code=answer.status)


@router.get("", response_model=Page)
async def list_all(parts: PartsOf, _caller: Reader, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """List streams by name."""
    after = after_cursor(cursor)

    def work(connection: Connection) -> list[dict[str, Any]]:
        return [streams.body(stream) for stream in rows.page(connection, after, limit + 1)]

    found = await parts.db.read(work)
    more = cursor_of(found[limit - 1]["name"]) if len(found) > limit else None
    return Reply({"items": found[:limit], "next_cursor": more})


@router.get("/{stream}", response_model=StreamAnswer)
async def look(stream: str, parts: PartsOf, _caller: Reader) -> Response:
    """Look at a stream."""
    return Reply(await parts.db.read(lambda c: streams.body(streams.find(c, stream))))


@router.patch("/{stream}", response_model=StreamAnswer)
async def change(stream: str, body: StreamPatch, parts: PartsOf, _caller: Operator) -> Response:
    """Change query policy, retention, guidelines or colours, or add classes."""
    changed = await streams.change(
        parts,
        stream,
        query=None if body.query is None else body.query.changes(),
        retention=None if body.retention is None else body.retention.model_dump(exclude_unset=True),
        add_classes=body.add_classes,
        guidelines=body.guidelines,
        colours=body.colours,
        open_classes=body.open_classes,
    )
    return Reply(changed)


@router.delete("/{stream}", status_code=204)
async def remove(stream: str, parts: PartsOf, _caller: Operator) -> Response:
    """Remove a stream with all its samples, labels and snapshots."""
    await streams.remove(parts, stream)
    return Response(status_code=204)
