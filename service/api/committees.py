"""The network as a file for small devices."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from service.api.dependencies import PartsOf, Reviewer
from service.api.routing import StrictRoute
from service.core.errors import UnacceptableError
from service.core.models import committee

router = APIRouter(prefix="/v1", tags=["streams"], route_class=StrictRoute)


@router.get(
    "/streams/{stream}/committee",
    response_class=StreamingResponse,
    responses={200: {"content": {media_type: {} for media_type, _ in committee.FORMATS.values()}}},
)
def download(
    stream: str,
    parts: PartsOf,
    _caller: Reviewer,
    members: Annotated[int, Query(ge=1, le=committee.MOST_MEMBERS)] = 16,
    form: Annotated[str, Query(alias="format", description="npz or c")] = "npz",
) -> Response:
    """Draw binary networks from what the stream has learned, one bit a weight, as NumPy arrays or as a C header."""
    if form not in committee.FORMATS:
        raise UnacceptableError.at(
            "/query/format", f"format must be one of {', '.join(committee.FORMATS)}, got '{form}'"
        )
    media_type, write = committee.FORMATS[form]
    return StreamingResponse(write(committee.drawn(parts, stream, members)), media_type=media_type)
