"""Signing in to the labeling UI: a token once, then a cookie that scripts cannot read."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.api.bodies import SignInBody, WhoAnswer
from service.api.dependencies import COOKIE, PartsOf, Reader
from service.api.replies import Reply
from service.api.routing import StrictRoute
from service.core import access

router = APIRouter(prefix="/v1/session", tags=["session"], route_class=StrictRoute)

_MAX_AGE_SECONDS = 30 * 24 * 3600


@router.post("", response_model=WhoAnswer)
async def sign_in(request: Request, body: SignInBody, parts: PartsOf) -> Response:
    """Sign in with a token."""
    who = await access.identify(parts.db, body.token)
    answer = Reply({"name": who.name, "role": who.role})
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, body.token, max_age=_MAX_AGE_SECONDS, httponly=True, samesite="strict", secure=secure)
    return answer


@router.get("", response_model=WhoAnswer)
async def who(caller: Reader) -> Response:
    """Say who is signed in."""
    return Reply({"name": caller.name, "role": caller.role})


@router.delete("", status_code=204)
async def sign_out() -> Response:
    """Forget the cookie."""
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
