"""A server that many small tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.settings import Settings
from tests.conftest import Running, postgres_database, running


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_on(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for all tests of a module, on SQLite and again on PostgreSQL."""
    with ExitStack() as stack:
        url = None if request.param == "sqlite" else stack.enter_context(postgres_database())
        yield stack.enter_context(running(_settings(tmp_path_factory.mktemp("shared"), url)))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One embedded service for all tests of a module."""
    with running(_settings(tmp_path_factory.mktemp("shared"), None)) as found:
        yield found


def _settings(folder: Path, url: str | None) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=url,
        poll_seconds=0.1,
        max_body_bytes=1_000_000,
        max_image_pixels=1_000_000,
    )
