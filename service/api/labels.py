"""Labels: late truth, the list, correcting, taking back, and the export."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from service.api.bodies import CorrectionBody, LabelAnswer, Page, RevisedAnswer, TruthBody
from service.api.dependencies import (
    Cursor,
    Key,
    Limit,
    PartsOf,
    Producer,
    Reviewer,
    after_cursor,
    cursor_of,
    numbers_of,
    role,
)
from service.api.replies import Reply
from service.api.routing import StrictRoute
from service.core import streams
from service.core.access import Principal, Role
from service.core.errors import UnacceptableError
from service.core.history import corrections, export
from service.core.history import lookback as history
from service.core.labels import gold, labeling

Reviser = Annotated[Principal, role(Role.ANNOTATOR, Role.OPERATOR)]

router = APIRouter(prefix="/v1", tags=["labels"], route_class=StrictRoute)


@router.post("/streams/{stream}/labels", response_model=LabelAnswer)
async def post(stream: str, body: TruthBody, parts: PartsOf, caller: Producer, key: Key) -> Response:
    """Post the truth of an earlier sample, from another system."""
    found = await labeling.learn_late(parts, caller, stream, body.sample_id, body.label, key)
    return Reply(found.body, status_code=found.status)


@router.get("/streams/{stream}/labels", response_model=Page)
async def list_all(
    stream: str,
    parts: PartsOf,
    _caller: Reviewer,
    source: Annotated[Literal["gold"] | None, Query(description="gold: its answers, which are not in the log")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """List labels in the order of the log, or the answers to gold, of which nothing was learned."""
    if source == "gold":
        known, last = await parts.db.read(lambda c: gold.answered(c, stream, after_cursor(cursor), limit))
        return Reply({"items": known, "next_cursor": cursor_of(last)})
    [after] = numbers_of(cursor, 1) or [0]
    items, more = await parts.db.read(lambda c: history.labels(c, stream, after, limit))
    return Reply({"items": items, "next_cursor": cursor_of(more)})


@router.patch("/labels/{label_id}", response_model=RevisedAnswer)
async def correct(label_id: str, body: CorrectionBody, parts: PartsOf, caller: Reviser) -> Response:
    """Correct a label: the learner becomes what it would be had the label been so from the beginning."""
    return Reply(await corrections.correct(parts, caller, label_id, body.label))


@router.delete("/labels/{label_id}", response_model=RevisedAnswer)
async def retract(label_id: str, parts: PartsOf, caller: Reviser) -> Response:
    """Take a label back: the learner becomes what it would be without it. Its query is leased to the caller again."""
    return Reply(await corrections.retract(parts, caller, label_id))


@router.get(
    "/streams/{stream}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media_type: {} for media_type, _ in export.FORMATS.values()}}},
)
async def download(
    stream: str,
    parts: PartsOf,
    _caller: Reviewer,
    form: Annotated[str, Query(alias="format", description="jsonl, csv, parquet or label-studio")] = "jsonl",
) -> Response:
    """Stream all samples with predictions and labels as a file."""
    if form not in export.FORMATS:
        raise UnacceptableError.at("/query/format", f"format must be one of {', '.join(export.FORMATS)}, got '{form}'")
    found = await parts.db.read(lambda c: streams.find(c, stream))
    media_type, write = export.FORMATS[form]
    return StreamingResponse(write(export.rows(parts, found)), media_type=media_type)
