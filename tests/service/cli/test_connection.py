"""A command whose service does not answer."""

from __future__ import annotations

import json
from pathlib import Path

from service.serving import data_folder
from tests.service.cli.commands import failed


def test_a_service_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    with data_folder(tmp_path):
        (tmp_path / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:9"}))
        (tmp_path / "admin.token").write_text("engram_x")
        assert "the service does not answer" in failed("export", "s", "--data-dir", tmp_path)
