"""The chain of the log: each entry's hash covers its content and the hash before it, so that no byte changes unseen."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def link(
    before: str,
    *,
    seq: int,
    kind: str,
    label: str | None,
    features: bytes | None,
    target_seq: int | None,
    at: int,
    detail: dict[str, Any] | None,
) -> str:
    """Return an entry's hash: SHA-256 of the hash before it and of all that the entry says, in one fixed spelling."""
    digest = None if features is None else hashlib.sha256(features).hexdigest()
    said = json.dumps([seq, kind, label, digest, target_seq, at, detail], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{said}".encode()).hexdigest()
