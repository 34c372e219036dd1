"""What is set wrongly is told in one line, before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.cli.commands import failed, run

SERVE = ("serve", "--port", "0")


@pytest.mark.parametrize("device", ["foo", "cuda:99", "meta"])
def test_a_device_on_which_nothing_computes_is_refused_at_the_start(tmp_path: Path, device: str) -> None:
    said = failed(*SERVE, "--data-dir", tmp_path, ENGRAM_DEVICE=device)
    assert said == f"engram: ENGRAM_DEVICE: must be a device on which PyTorch computes here, as 'cpu', got '{device}'"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@x",
        "garbage",
        "",
        "postgresql+asyncpg://me:secret@x",
        "postgresql://me:secret@127.0.0.1:abc/x",
        "sqlite+aiosqlite:///x",
    ],
)
def test_an_address_of_no_database_is_named_without_its_password(tmp_path: Path, url: str) -> None:
    said = failed("token", "list", "--data-dir", tmp_path, ENGRAM_DATABASE_URL=url)
    assert said.startswith("engram: ENGRAM_DATABASE_URL: must be postgresql://")
    assert "secret" not in said


@pytest.mark.parametrize("url", ["garbage", "http://127.0.0.1", "redis://127.0.0.1:abc"])
def test_an_address_of_no_redis_is_named(url: str) -> None:
    said = failed("api", ENGRAM_REDIS_URL=url, ENGRAM_DATABASE_URL="postgresql://postgres@127.0.0.1:5432/none")
    assert said.startswith("engram: ENGRAM_REDIS_URL: must be redis://")


@pytest.mark.parametrize(
    "words",
    [
        ["export", "s"],
        ["import", "s", __file__],
        ["snapshots", "s"],
        ["rollback", "s", "--seq", "0"],
        ["verify", "s"],
        ["token", "list"],
    ],
    ids=" ".join,
)
def test_a_mistyped_data_folder_is_not_made(tmp_path: Path, words: list[str]) -> None:
    folder = tmp_path / "mistyped"
    assert f"there is no folder {folder}" in failed(*words, "--data-dir", folder)
    assert not folder.exists()


def test_the_first_token_makes_the_folder(tmp_path: Path) -> None:
    assert run("token", "create", "--role", "admin", "--data-dir", tmp_path / "new").returncode == 0
    assert "admin" in run("token", "list", "--data-dir", tmp_path / "new").stdout
