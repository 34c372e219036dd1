"""Whether the service lives, and how its streams are doing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import PlainTextResponse

from service.api.dependencies import PartsOf, Reader
from service.api.replies import Reply
from service.api.routing import StrictRoute
from service.clock import micros
from service.core import monitoring
from service.core.errors import NotReadyError

process = APIRouter(tags=["monitoring"], route_class=StrictRoute)
"""What is asked of a process, whatever it does."""

router = APIRouter(tags=["monitoring"], route_class=StrictRoute)


@process.get("/healthz")
async def alive() -> Response:
    """Answer while the process lives."""
    return Reply({"status": "alive"})


@process.get("/readyz")
async def ready(parts: PartsOf) -> Response:
    """Answer 200 once every model is restored and its log replayed, while what is stored lasts; else say what is wrong.

    Until the models are restored, say how far that is.
    """
    if not parts.ready.is_set():
        raise NotReadyError(retry_after=1, more={"restoring": parts.recovery.body()})
    if not parts.db.sound:
        raise NotReadyError("The disk failed to sync; nothing is stored until the next start.", retry_after=60)
    return Reply({"status": "ready"})


@process.get("/metrics", response_class=PlainTextResponse)
async def metrics(parts: PartsOf) -> Response:
    """Prometheus metrics."""
    return Response(generate_latest(parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/streams/{stream}/stats")
async def stats(stream: str, parts: PartsOf, _caller: Reader) -> Response:
    """A stream's figures: counts, query rate against budget, queue, accuracy with interval, learner health."""
    return Reply(await parts.db.read(lambda c: monitoring.stats(c, parts, stream)))


@router.get("/v1/streams/{stream}/timeseries")
async def timeseries(
    stream: str,
    parts: PartsOf,
    _caller: Reader,
    metric: Annotated[str, Query(description=", ".join(monitoring.METRICS))],
    start: Annotated[datetime | None, Query(alias="from")] = None,
    end: Annotated[datetime | None, Query(alias="to")] = None,
    step: Annotated[int | None, Query(ge=1, le=10**7, description="seconds")] = None,
) -> Response:
    """A metric over time, for plots."""
    first, last = (None if moment is None else micros(moment) for moment in (start, end))
    return Reply(await parts.db.read(lambda c: monitoring.timeseries(c, stream, metric, first, last, step)))


@router.get("/v1/streams/{stream}/cost-curve")
async def cost_curve(
    stream: str,
    parts: PartsOf,
    _caller: Reader,
    points: Annotated[int, Query(ge=1, le=1000, description="about how many points")] = 20,
) -> Response:
    """Accuracy against labels spent: at each point the accuracy over the samples since the point before."""
    return Reply(await parts.db.read(lambda c: monitoring.cost_curve(c, stream, points)))
