"""The one place where parts are put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import anyio.to_thread
import structlog
import torch
from fastapi import FastAPI, Request, Response
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from learner import warm_up
from service.api import (
    annotators,
    committees,
    history,
    labels,
    live,
    monitoring,
    problems,
    queries,
    samples,
    session,
    streams,
)
from service.api.bodies import ProblemAnswer
from service.api.guard import Guard
from service.api.head_requests import HeadRequests
from service.api.inference_protocol import routes as inference_protocol
from service.bus import Bus
from service.bus.local import LocalBus
from service.clock import Clock, SystemClock
from service.core.metrics import Metrics
from service.core.models.past import PastModels
from service.core.models.recovery import Recovery
from service.core.models.scoring import LiveModels
from service.core.parts import Parts
from service.following import Follower
from service.settings import Settings
from service.storage.session import Database
from service.worker import Worker

_THREADS = 16

_PROBLEM: dict[str, Any] = {
    "description": "A problem",
    "content": {"application/problem+json": {"schema": ProblemAnswer.model_json_schema()}},
}

_NO_UI = """<!doctype html><meta charset="utf-8"><title>Engram</title>
<p>The labeling pages are not built yet. Run <code>make ui</code> in the project's folder and reload.</p>
"""


def build_parts(settings: Settings, *, clock: Clock | None = None, bus: Bus | None = None) -> Parts:
    """Open the database, bring its tables up to date, and make the rest."""
    # One thread per operation: many streams share the cores, and results do not depend on how many there are.
    torch.set_num_threads(1)
    warm_up()
    db = Database(settings.database, write_queue_limit=settings.write_queue_limit)
    db.migrate()
    if bus is None:
        bus = LocalBus() if settings.redis_url is None else _redis_bus(settings.redis_url)
    parts = Parts(
        db=db,
        bus=bus,
        clock=clock or SystemClock(),
        settings=settings,
        models=LiveModels(db, settings.device),
        past=PastModels(db, settings.device),
        recovery=Recovery(),
        metrics=Metrics(),
        ready=Event(),
        stopping=Event(),
    )
    bus.subscribe(parts.heads.hear)
    return parts


def _redis_bus(url: str) -> Bus:
    from service.bus.redis import RedisBus  # noqa: PLC0415 - a service without Redis starts sooner without its client

    return RedisBus(url)


def create_app(parts: Parts, *, learns: bool = True) -> FastAPI:
    """Return the application: API and labeling UI, with the learner's worker in the same process if it `learns`."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        caught_up = Event()
        worker = Worker(parts, caught_up) if learns else None
        follower = Follower(parts, caught_up if learns else None)
        if worker is not None:
            worker.start()
        follower.start()
        yield
        parts.stopping.set()
        if worker is not None:
            await anyio.to_thread.run_sync(worker.drain)
        await anyio.to_thread.run_sync(follower.end)

    app = FastAPI(
        title="Engram",
        version=version("engram"),
        summary="Learns online and asks people only when an answer will teach it something.",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        responses={"4XX": _PROBLEM},
    )
    app.state.parts = parts
    problems.install(app)
    app.add_middleware(HeadRequests)
    app.add_middleware(Guard, max_body_bytes=parts.settings.max_body_bytes, metrics=parts.metrics)
    app.include_router(monitoring.process)
    # The routes are tried in this order: first come those that are asked for most.
    for part in (
        queries,
        samples,
        session,
        streams,
        labels,
        annotators,
        history,
        committees,
        monitoring,
        live,
        inference_protocol,
    ):
        app.include_router(part.router)
    _serve_ui(app)
    return app


def create_worker_app(parts: Parts) -> FastAPI:
    """Return what a worker process serves: whether it lives and is ready, and its metrics; it learns meanwhile."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        worker = Worker(parts, parts.ready)
        worker.start()
        yield
        parts.stopping.set()
        await anyio.to_thread.run_sync(worker.drain)

    app = FastAPI(title="Engram worker", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.parts = parts
    problems.install(app)
    app.add_middleware(HeadRequests)
    app.include_router(monitoring.process)
    return app


def close_parts(parts: Parts) -> None:
    """Hang up; call it once no request is left."""
    parts.stopping.set()
    parts.bus.close()
    parts.db.close()


class _Pages(StaticFiles):
    """The built labeling UI: its hashed assets may be kept for ever, its page must be asked for each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file with its caching."""
        answer = await super().get_response(path, scope)
        hashed = path.startswith("assets/")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Security-Policy"] = (
            "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
        )
        return answer


class _Rest(Mount):
    """Takes what no route has; below /v1 an unknown way stays unknown, and everywhere a wrong method wrong."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the pages take a request."""
        page = scope.get("method") in ("GET", "HEAD") and not scope["path"].startswith(("/v1/", "/v2/"))
        return super().matches(scope) if page else (Match.NONE, {})


def _serve_ui(app: FastAPI) -> None:
    built = Path(str(files("labeling_ui") / "dist"))
    if built.is_dir():

        @app.get("/docs", include_in_schema=False)
        async def docs() -> FileResponse:
            return FileResponse(built / "docs.html", headers={"Cache-Control": "no-cache"})

        @app.get("/label/{stream:path}", include_in_schema=False)
        @app.get("/operate/{stream:path}", include_in_schema=False)
        async def page(request: Request) -> RedirectResponse:
            """Lead whoever typed the address of a page without its '#' there."""
            return RedirectResponse(f"/#{quote(request.url.path)}")

        app.router.routes.append(_Rest("/", app=_Pages(directory=built, html=True), name="ui"))
    else:
        logger = structlog.get_logger()
        logger.warning("ui.not_built", folder=str(built))

        @app.get("/", include_in_schema=False)
        async def no_ui() -> HTMLResponse:
            return HTMLResponse(_NO_UI, status_code=503)
