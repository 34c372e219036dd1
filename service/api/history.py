"""Going back and forth in a stream's history: snapshots, rollback, and how far a job is."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.api.bodies import JobAnswer, NothingBody, Page, RollbackAnswer, RollbackBody, SnapshotAnswer
from service.api.dependencies import Cursor, Key, Limit, Operator, PartsOf, Reader, cursor_of, numbers_of
from service.api.replies import Reply
from service.api.routing import StrictRoute
from service.core.history import lookback as history
from service.core.history import rollback
from service.core.models import jobs

router = APIRouter(prefix="/v1", tags=["history"], route_class=StrictRoute)


@router.get("/streams/{stream}/snapshots", response_model=Page)
async def snapshots(
    stream: str, parts: PartsOf, _caller: Reader, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """List the stored states, newest first, each with what it was computed with."""
    before = numbers_of(cursor, 2)
    items, more = await parts.db.read(lambda c: history.snapshot_page(c, stream, before, limit))
    return Reply({"items": items, "next_cursor": cursor_of("-".join(map(str, more)) if more else None)})


@router.post("/streams/{stream}/snapshots", status_code=202, response_model=SnapshotAnswer)
async def take(stream: str, parts: PartsOf, _caller: Operator, key: Key, _body: NothingBody | None = None) -> Response:
    """Have the newest state stored; the job is done once it is."""
    answer = await history.take_snapshot(parts, stream, key)
    return Reply(answer.body, status_code=answer.status)


@router.post("/streams/{stream}:rollback", response_model=RollbackAnswer)
async def roll_back(stream: str, body: RollbackBody, parts: PartsOf, caller: Operator, key: Key) -> Response:
    """Go back to the moment after an entry: what came later counts no more, and nothing is deleted."""
    answer = await rollback.roll_back(parts, caller, stream, body.seq, key)
    return Reply(answer.body, status_code=answer.status)


@router.get("/jobs/{job_id}", response_model=JobAnswer)
async def job(job_id: str, parts: PartsOf, _caller: Reader) -> Response:
    """Tell how far a job is: queued, running, done, or failed, which is tried again."""
    return Reply(await parts.db.read(lambda c: jobs.look(c, job_id)))
