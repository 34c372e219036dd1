"""Journeys start the command as its users do: as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import httpx

ENGRAM = [sys.executable, "-c", "from service.cli import main; main()"]


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment without Engram's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENGRAM_")}  # noqa: TID251
    return kept | more


@dataclass
class Process:
    """A running command."""

    popen: subprocess.Popen[str]
    lines: list[str]
    folder: Path
    opened: list[httpx.Client] = field(default_factory=list)

    def line(self, pattern: str, seconds: float = 60) -> str:
        """Return what the first line that fits `pattern` holds in its group."""
        end = monotonic() + seconds
        while monotonic() < end:
            for line in self.lines:
                found = re.search(pattern, line)
                if found:
                    return found.group(1)
            if self.popen.poll() is not None and not any(re.search(pattern, line) for line in self.lines):
                sleep(0.2)
                if not any(re.search(pattern, line) for line in self.lines):
                    break
            sleep(0.02)
        raise AssertionError(f"no line with {pattern}:\n" + "".join(self.lines))

    @property
    def url(self) -> str:
        """Where it serves."""
        return self.line(r"Engram serves (\S+)")

    @property
    def client(self) -> httpx.Client:
        """A client with the admin token, once the service is ready."""
        if self.opened:
            return self.opened[0]
        url = self.url
        headers = {"Authorization": f"Bearer {(self.folder / 'admin.token').read_text().strip()}"}
        client = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)
        self.opened.append(client)
        end = monotonic() + 60
        while monotonic() < end:
            try:
                if client.get("/readyz").status_code == 200:
                    return client
            except httpx.TransportError:
                pass
            sleep(0.05)
        raise AssertionError("never ready")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(60)


@contextmanager
def engram(folder: Path, *words: str, **environment: str) -> Iterator[Process]:
    """Run `engram` with these words until the block ends."""
    popen = subprocess.Popen(
        [*ENGRAM, *words, "--data-dir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment(PYTHONUNBUFFERED="1", **environment),
    )
    process = Process(popen, [], folder)
    reader = Thread(target=lambda: process.lines.extend(popen.stdout or ()), daemon=True)
    reader.start()
    try:
        yield process
    finally:
        for client in process.opened:
            client.close()
        if popen.poll() is None:
            popen.kill()
        popen.wait(30)
        reader.join(10)
        if popen.stdout:
            popen.stdout.close()
