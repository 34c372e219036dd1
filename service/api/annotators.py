"""The people who answer, and gold: samples whose label is known, by which their reliability is found."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.api.bodies import AnnotatorsAnswer, GoldAnswer, GoldBody, Page
from service.api.dependencies import Cursor, Key, Limit, Operator, PartsOf, Reviewer, after_cursor, cursor_of
from service.api.replies import Reply
from service.api.routing import StrictRoute
from service.core.labels import annotators, gold
from service.core.labels.gold import Known

router = APIRouter(prefix="/v1/streams/{stream}", tags=["annotators"], route_class=StrictRoute)


@router.get("/annotators", response_model=AnnotatorsAnswer)
async def look(stream: str, parts: PartsOf, _caller: Reviewer) -> Response:
    """Tell how much each person answers, how fast, how often like the others, and how often rightly."""
    return Reply(await parts.db.read(lambda c: annotators.report(c, stream)))


@router.post("/gold", response_model=GoldAnswer, status_code=201)
async def mark(stream: str, body: GoldBody, parts: PartsOf, caller: Operator, key: Key) -> Response:
    """Mark a sample whose label is known, by its id or by its data; annotators are asked of it like of any other."""
    known = Known(body.sample_id, body.data, body.display, body.label)
    answer = await gold.mark(parts, caller, stream, known, key)
    return Reply(answer.body, status_code=answer.status)


@router.get("/gold", response_model=Page)
async def list_all(
    stream: str, parts: PartsOf, _caller: Reviewer, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """List gold, each with how often it was answered and how often rightly."""
    items, more = await parts.db.read(lambda c: gold.page(c, stream, after_cursor(cursor), limit))
    return Reply({"items": items, "next_cursor": cursor_of(more)})


@router.delete("/gold/{gold_id}", status_code=204)
async def remove(stream: str, gold_id: str, parts: PartsOf, _caller: Operator) -> Response:
    """Ask nobody of a sample any more; what was answered of it stays."""
    await gold.remove(parts, stream, gold_id)
    return Response(status_code=204)
