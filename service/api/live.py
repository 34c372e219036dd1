"""What happens in a stream, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Annotated

import orjson
from fastapi import APIRouter, Header
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from starlette.responses import StreamingResponse

from service.api.dependencies import PartsOf, Reader, counted
from service.api.routing import StrictRoute
from service.core import streams
from service.core.errors import UnacceptableError
from service.core.parts import Parts
from service.events import Topic, Wakeup
from service.storage import events
from service.storage.streams import Stream
from service.storage.tables import AnyRow
from service.storage.writers import passes

router = APIRouter(tags=["live"], route_class=StrictRoute)

_PAGE = 200
_KEEPALIVE_SECONDS = 15.0


@router.get(
    "/v1/streams/{stream}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def subscribe(
    stream: str,
    parts: PartsOf,
    _caller: Reader,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Follow a stream: prediction, query, label, update, snapshot; resumes from Last-Event-ID."""
    found = await parts.db.read(lambda c: streams.find(c, stream))
    resumed = None if last_event_id is None else counted(last_event_id)
    if last_event_id is not None and resumed is None:
        said = "Last-Event-ID must be the id of an event that this stream sent"
        raise UnacceptableError.at("/header/last-event-id", said)
    newest = await parts.db.read(lambda c: events.newest(c, found.id))
    # A subscriber of before an older state was brought back knows of events that are not there: their ids come again.
    last = newest if resumed is None else min(resumed, newest)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_follow(parts, found, last), media_type="text/event-stream", headers=headers)


async def _follow(parts: Parts, stream: Stream, last: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    news = asyncio.Event()

    def wake(wakeup: Wakeup) -> None:
        if wakeup.topic is Topic.EVENTS_ADDED and wakeup.stream_id == stream.id:
            loop.call_soon_threadsafe(news.set)

    unsubscribe = parts.bus.subscribe(wake)
    quiet_since = loop.time()
    try:
        yield b"retry: 1000\n\n"
        while not parts.stopping.is_set():
            news.clear()
            page = await _next_page(parts, stream, last)
            for row in page:
                last = row.id
                yield f"id: {row.id}\nevent: {row.type}\ndata: ".encode() + orjson.dumps(row.data) + b"\n\n"
            if page:
                quiet_since = loop.time()
                continue
            if loop.time() - quiet_since > _KEEPALIVE_SECONDS:
                quiet_since = loop.time()
                yield b": still here\n\n"
            try:
                await asyncio.wait_for(news.wait(), parts.settings.poll_seconds)
            except TimeoutError:
                continue
    finally:
        unsubscribe()


async def _next_page(parts: Parts, stream: Stream, last: int) -> Sequence[AnyRow]:
    """Return the next events; while the database is away there are none."""
    try:
        return await parts.db.read(partial(_page, stream, last))
    except DBAPIError as error:
        if not passes(error):
            raise
        return ()


def _page(stream: Stream, last: int, connection: Connection) -> Sequence[AnyRow]:
    return events.after(connection, stream.id, last, _PAGE)
