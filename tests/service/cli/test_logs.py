"""What the log tells of an error that nobody foresaw, and what it never tells."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.conftest import eventually
from tests.journeys.conftest import ENGRAM, clean_environment


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("terminal", [False, True], ids=["as JSON", "on a terminal"])
def test_an_unforeseen_error_is_logged_without_the_token_of_who_called(tmp_path: Path, terminal: bool) -> None:
    reading, writing = pty.openpty() if terminal else os.pipe()
    logged = bytearray()

    def collect() -> None:
        try:
            while part := os.read(reading, 65_536):
                logged.extend(part)
        except OSError:  # what a terminal ends with
            pass

    words = ["serve", "--port", "0", "--data-dir", str(tmp_path)]
    with subprocess.Popen(
        [*ENGRAM, *words], stdout=subprocess.PIPE, stderr=writing, text=True, env=clean_environment()
    ) as process:
        os.close(writing)
        reader = Thread(target=collect, daemon=True)
        reader.start()
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            token = eventually((tmp_path / "admin.token").read_text, bool).strip()
            with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client:
                eventually(lambda: is_ready(client), bool, seconds=60)
                body = {"name": "s", "input": {"kind": "vector", "dim": 2}}
                assert client.post("/v1/streams", json=body).status_code == 201
                with sqlite3.connect(tmp_path / "engram.db") as db:
                    db.execute("UPDATE streams SET query = 'not JSON'")
                db.close()
                assert client.get("/v1/streams/s").status_code == 500
        finally:
            process.terminate()
            process.wait(30)
            reader.join(10)
            os.close(reading)
    said = logged.decode()
    assert "request.failed" in said
    assert "by_name" in said  # the traceback itself is there
    assert token not in said
    assert "Bearer" not in said
