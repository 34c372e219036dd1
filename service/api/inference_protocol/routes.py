"""Health, metadata and inference below /v2."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, TypeAdapter, ValidationError

from service.api import json_values
from service.api.dependencies import Key, PartsOf, Producer, Reader
from service.api.inference_protocol import inputs, outputs
from service.api.inference_protocol.inputs import Lenient, Rows, Tensor
from service.api.replies import Reply
from service.api.routing import StrictRoute
from service.api.wording import said
from service.core import streams
from service.core.errors import MalformedError, NotFoundError, NotReadyError, UnacceptableError
from service.core.parts import Parts
from service.core.samples import ingestion
from service.core.samples.intake import SampleIn
from service.core.specs import SampleId, as_input
from service.storage.streams import Stream

router = APIRouter(prefix="/v2", tags=["inference protocol"], route_class=StrictRoute)


_ID: TypeAdapter[str | None] = TypeAdapter(SampleId | None)


class Wanted(Lenient):
    """An output that the client asks for."""

    name: Annotated[str, Field(max_length=200)]


class InferBody(Lenient):
    """Input tensors, and which outputs to answer."""

    id: Annotated[str | None, Field(max_length=1000)] = None
    inputs: Annotated[list[Tensor], Field(min_length=1, max_length=1001)]
    outputs: Annotated[list[Wanted], Field(max_length=100)] = Field(default_factory=list)


class _Infer(Lenient):
    body: InferBody
    binary: bytes


async def _sent(request: Request) -> _Infer:
    """Read a body, which may be JSON with binary data behind it."""
    raw = await request.body()
    header = request.headers.get("Inference-Header-Content-Length")
    if header is not None and not (header.isascii() and header.isdigit() and int(header[:12]) <= len(raw)):
        raise MalformedError("Inference-Header-Content-Length must be the length of the JSON part of the body")
    size = len(raw) if header is None else int(header)
    return _Infer(body=InferBody.model_validate(_value(raw[:size])), binary=raw[size:])


def _value(raw: bytes) -> Any:
    found = json_values.read(raw)
    faults = [] if found.sound else list(json_values.faults_of(found.value))
    if faults:
        raise UnacceptableError.of(faults)
    return found.value


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": InferBody.model_json_schema(ref_template="#/$defs/{model}")}},
    }
}


@router.get("")
async def server() -> Response:
    """Say what serves."""
    return Reply({"name": "engram", "version": version("engram"), "extensions": ["binary_tensor_data"]})


@router.get("/health/live")
async def live() -> Response:
    """Answer while the process lives."""
    return Reply({"live": True})


@router.get("/health/ready")
async def ready(parts: PartsOf) -> Response:
    """Answer 200 once every model is restored."""
    if not parts.ready.is_set():
        raise NotReadyError(retry_after=1)
    return Reply({"ready": True})


@router.get("/models/{stream}")
@router.get("/models/{stream}/versions/{version}")
async def model(stream: str, parts: PartsOf, _caller: Reader, version: str | None = None) -> Response:
    """Say what a stream takes and answers."""
    found, current = await _find(parts, stream, version)
    return Reply(
        {
            "name": stream,
            "versions": [current],
            "platform": "engram",
            "inputs": inputs.described(as_input(found.input)),
            "outputs": outputs.described(len(found.classes)),
        }
    )


@router.get("/models/{stream}/ready")
@router.get("/models/{stream}/versions/{version}/ready")
async def model_ready(stream: str, parts: PartsOf, _caller: Reader, version: str | None = None) -> Response:
    """Answer 200 where the stream can be asked."""
    await _find(parts, stream, version)
    return Reply({"name": stream, "ready": True})


@router.post("/models/{stream}/infer", openapi_extra=_BODY)
@router.post("/models/{stream}/versions/{version}/infer", openapi_extra=_BODY)
async def infer(
    stream: str,
    sent: Annotated[_Infer, Depends(_sent)],
    parts: PartsOf,
    caller: Producer,
    key: Key,
    version: str | None = None,
) -> Response:
    """Post samples as tensors; each is stored and may be asked, just as those of /v1.

    All are taken or, where one is not acceptable, none. An input named "id" of texts gives the samples their ids.
    """
    found, _ = await _find(parts, stream, version)
    body, wanted = sent.body, [output.name for output in sent.body.outputs]
    rows = inputs.rows_of(body.inputs, as_input(found.input), sent.binary)
    outputs.must_be_known(wanted)
    samples = [SampleIn(_id(rows, n), data, None, None) for n, data in enumerate(rows.data)]
    answer = await ingestion.ingest(parts, stream, samples, caller, key, blame=rows.blame)
    results = answer.body["results"]
    made = {
        "model_name": stream,
        "model_version": str(max(result["model_version"] for result in results)),
        "outputs": outputs.tensors(results, wanted),
    }
    return Reply(made if body.id is None else made | {"id": body.id})


def _id(rows: Rows, n: int) -> str | None:
    try:
        return _ID.validate_python(rows.ids[n])
    except ValidationError as error:
        detail = f"the id of sample {n}: {said(error.errors(include_url=False)[0])}"
        raise UnacceptableError.at(f"/inputs/{rows.places['id']}", detail) from None


async def _find(parts: Parts, name: str, version: str | None) -> tuple[Stream, str]:
    stream = await parts.db.read(lambda c: streams.find(c, name))
    current = str(parts.models.scorer(stream).seq)
    if version not in (None, current):
        raise NotFoundError(f"the stream '{name}' serves its current version, {current}, alone; leave the version out")
    return stream, current
