"""JSON out: exact."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import JSONResponse


class Reply(JSONResponse):
    """A JSON body; numbers keep every bit."""

    def render(self, content: Any) -> bytes:
        """Return the body's bytes."""
        return orjson.dumps(content)
