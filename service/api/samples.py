"""Samples: post one or many, look at one."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query, Response
from pydantic import ValidationError

from service.api.bodies import MOMENT_PATTERN, BatchAnswer, BatchBody, SampleAnswer, SampleBody
from service.api.dependencies import Key, PartsOf, Producer, Reader
from service.api.problems import unacceptable
from service.api.replies import Reply
from service.api.routing import BatchRoute, StrictRoute
from service.core.errors import EngramError
from service.core.history import lookback as history
from service.core.samples import ingestion
from service.core.samples.intake import SampleIn

router = APIRouter(prefix="/v1/streams/{stream}", tags=["samples"], route_class=StrictRoute)


@router.post("/samples", response_model=SampleAnswer)
async def post(stream: str, body: SampleBody, parts: PartsOf, caller: Producer, key: Key) -> Response:
    """Post one sample; the answer is the prediction made before any label of it is known."""
    sent = SampleIn(body.id, body.data, body.display, body.label)
    answer = await ingestion.ingest_one(parts, stream, sent, caller, key)
    return Reply(answer.body, status_code=answer.status)


async def post_many(stream: str, body: BatchBody, parts: PartsOf, caller: Producer, key: Key) -> Response:
    """Post up to 1000 samples; one that is not acceptable does not spoil the others."""
    answer = await ingestion.ingest(parts, stream, [_item(item) for item in body.samples], caller, key)
    return Reply(answer.body, status_code=answer.status)


router.add_api_route(
    "/samples:batch", post_many, methods=["POST"], response_model=BatchAnswer, route_class_override=BatchRoute
)


@router.get("/samples/{sample_id:path}")
async def look(
    stream: str,
    sample_id: str,
    parts: PartsOf,
    _caller: Reader,
    at: Annotated[
        str | None,
        Query(
            pattern=MOMENT_PATTERN,
            description="'now' adds what the model says today, a number what it said after that log entry",
        ),
    ] = None,
) -> Response:
    """Look at a sample: data, prediction at arrival, query and label."""
    moment = at if at is None or at == "now" else int(at)
    return Reply(await anyio.to_thread.run_sync(history.sample, parts, stream, sample_id, moment))


def _item(item: Any) -> SampleIn | EngramError:
    if isinstance(item, EngramError):  # found while the body was read
        return item
    try:
        body = SampleBody.model_validate(item)
    except ValidationError as error:
        return unacceptable(error.errors(include_url=False), SampleBody, whole="the sample")
    return SampleIn(body.id, body.data, body.display, body.label)
