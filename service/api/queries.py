"""Queries: lease, answer, skip, release, hold."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.api.bodies import (
    AnswerBody,
    HeldAnswer,
    HoldBody,
    LeaseBody,
    LeasedAnswer,
    NothingBody,
    RecordedAnswer,
    SkipBody,
    TakenBackAnswer,
)
from service.api.dependencies import Annotator, Key, PartsOf
from service.api.replies import Reply
from service.api.routing import StrictRoute
from service.core.history import corrections
from service.core.labels import answering, leasing

router = APIRouter(prefix="/v1", tags=["queries"], route_class=StrictRoute)


@router.post("/streams/{stream}/queries:lease", response_model=LeasedAnswer)
async def lease(
    request: Request, stream: str, body: LeaseBody, parts: PartsOf, caller: Annotator, key: Key
) -> Response:
    """Lease queries, most valuable first by the current model."""
    found = await leasing.lease(parts, caller, stream, body.limit, body.wait_seconds, request.is_disconnected, key)
    return Reply({"queries": found})


@router.post("/queries/{query_id}:answer", response_model=RecordedAnswer)
async def answer(query_id: str, body: AnswerBody, parts: PartsOf, caller: Annotator, key: Key) -> Response:
    """Answer a leased query."""
    found = await answering.answer(parts, caller, query_id, body.lease_token, body.label, body.duration_ms, key)
    return Reply(found.body, status_code=found.status)


@router.post("/queries/{query_id}:skip", status_code=204)
async def skip(query_id: str, body: SkipBody, parts: PartsOf, caller: Annotator, key: Key) -> Response:
    """Give a leased query back for good, with a reason."""
    await answering.skip(parts, caller, query_id, body.lease_token, body.reason, key)
    return Response(status_code=204)


@router.post("/queries/{query_id}:release", status_code=204)
async def release(query_id: str, body: HoldBody, parts: PartsOf, _caller: Annotator) -> Response:
    """Give a leased query back to the queue."""
    await leasing.release(parts, query_id, body.lease_token)
    return Response(status_code=204)


@router.post("/queries/{query_id}:heartbeat", response_model=HeldAnswer)
async def heartbeat(query_id: str, body: HoldBody, parts: PartsOf, _caller: Annotator) -> Response:
    """Hold a leased query for another while."""
    return Reply(await leasing.heartbeat(parts, query_id, body.lease_token))


@router.post("/queries/{query_id}:retract", response_model=TakenBackAnswer)
async def retract(query_id: str, parts: PartsOf, caller: Annotator, _body: NothingBody | None = None) -> Response:
    """Take back the own answer to a query, and the label that rests on it; the query is leased to the caller again."""
    return Reply(await corrections.retract_answer(parts, caller, query_id))
