"""Whatever an operator can set, read or call is written down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined
from sqlalchemy import select

from service.core.metrics import Metrics
from service.settings import Settings
from service.storage.tables import events
from tests.conftest import Running, eventually, running

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def docs() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_in_the_docs_with_its_default(docs: str, name: str) -> None:
    default = Settings.model_fields[name].default
    assert default is not PydanticUndefined
    lines = [line for line in docs.splitlines() if f"`ENGRAM_{name.upper()}`" in line and line.startswith("|")]
    assert lines, f"ENGRAM_{name.upper()} has no line in a table"
    if default is not None:
        # Digits may be grouped as people read them.
        assert any(str(default) in re.sub(r"(?<=\d)[ ,_](?=\d{3})", "", line) for line in lines), lines


def test_no_setting_stands_in_the_docs_that_is_not_there(docs: str) -> None:
    tests_only = {"ENGRAM_DATA_SETS", "ENGRAM_TEST_POSTGRES", "ENGRAM_TEST_REDIS"}
    named = set(re.findall(r"\bENGRAM_[A-Z_]+\b", docs)) - tests_only
    assert named <= {f"ENGRAM_{name.upper()}" for name in Settings.model_fields} | {"ENGRAM_"}


def names_of_metrics() -> list[str]:
    found = Metrics().registry.collect()
    return [f"{family.name}_total" if family.type == "counter" else family.name for family in found]


@pytest.mark.parametrize("name", names_of_metrics())
def test_every_metric_stands_in_the_docs(docs: str, name: str) -> None:
    assert f"`{name}`" in docs


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a service in which everything has happened that is told as an event."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("told"), poll_seconds=0.1, snapshot_every=1)
    with running(settings) as service:
        service.stream(classes=["a"])
        service.post([1, 2])
        service.answer(service.lease()[0], "a")
        service.client.patch("/v1/streams/s", json={"add_classes": ["b"]})
        service.settled()
        eventually(lambda: service.stats()["snapshot"], bool)
        yield service


def test_every_kind_of_event_stands_in_the_docs(docs: str, told: Running) -> None:
    kinds = set(told.parts.db.read_now(lambda c: c.execute(select(events.c.type)).scalars()))
    assert kinds >= {"prediction", "query", "label", "update", "snapshot", "stream"}
    assert {kind for kind in kinds if f"`{kind}`" not in docs} == set()


def test_every_route_stands_in_the_docs(docs: str, told: Running) -> None:
    paths = told.client.get("/openapi.json").json()["paths"]
    assert len(paths) > 15
    lines = [line for line in docs.splitlines() if line.startswith("|")]
    missing = {
        f"{method.upper()} {path}"
        for path, found in paths.items()
        for method in found
        if not any(f"{path}`" in line and re.search(rf"\b{method.upper()}\b", line) for line in lines)
    }
    assert missing == set()
