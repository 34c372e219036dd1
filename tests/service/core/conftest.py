from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.core.by_hand import History, history


@pytest.fixture
def past(database_url: str, tmp_path: Path) -> Iterator[History]:
    """A stream without a server, on SQLite and again on PostgreSQL; a snapshot every four entries."""
    with history(tmp_path / "past", database_url, snapshot_every=4, snapshots_kept=2) as found:
        yield found


def grown(past: History, count: int = 20) -> list[str]:
    """Label `count` samples and learn them; return the labels' ids."""
    ids = [past.label((n % 5 - 2, n % 3 - 1), "ab"[n % 2]) for n in range(count)]
    past.catch_up()
    return ids
