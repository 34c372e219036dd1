"""A command run to its end, as its users type it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.journeys.conftest import ENGRAM, clean_environment


def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(
        [*ENGRAM, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=clean_environment(**environment),
    )


def failed(*words: str | Path, **environment: str) -> str:
    """Run a command that fails, and return the one line that says why."""
    done = run(*words, **environment)
    assert done.returncode == 1, done.stdout + done.stderr
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("engram: ")
    return line
