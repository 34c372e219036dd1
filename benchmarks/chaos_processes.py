"""Engram as its users run it: real processes, started, killed and started again."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep

import httpx

ENGRAM = (sys.executable, "-c", "from service.cli import main; main()")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Process:
    """One command with an address, which can be killed and started again under the same one."""

    def __init__(self, folder: Path, words: Sequence[str], settings: dict[str, str]) -> None:
        self.name = words[0]
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._words = (*ENGRAM, *words, "--port", str(port))
        self._log = folder / f"{self.name}-{port}.log"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ENGRAM_")}  # noqa: TID251
        self._environment = kept | settings
        self.popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and go on at once."""
        with self._log.open("ab") as log:
            self.popen = subprocess.Popen(self._words, stdout=log, stderr=log, env=self._environment)

    def kill(self) -> None:
        """End it as a power cut would, if it runs."""
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.popen is not None
        self.popen.send_signal(number)

    def drained(self, seconds: float = 120) -> int:
        """End it in an orderly way and return the exit code."""
        self.send(signal.SIGTERM)
        assert self.popen is not None
        return self.popen.wait(seconds)

    def is_ready(self) -> bool:
        """Return whether it says so."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def ready(self, seconds: float = 120) -> None:
        """Wait until it says that it is ready.

        Raises:
            TimeoutError: with the end of its log, where it does not or has ended.
        """
        end = monotonic() + seconds
        while not self.is_ready():
            if monotonic() > end or self.popen is None or self.popen.poll() is not None:
                raise TimeoutError(f"{self.name} is not ready:\n{self.log()[-3000:]}")
            sleep(0.05)

    def log(self) -> str:
        """Return what it wrote so far."""
        return self._log.read_text() if self._log.exists() else ""

    def failures(self) -> int:
        """Return how often something unforeseen was logged."""
        return sum(word in line for line in self.log().splitlines() for word in ("round_failed", "request.failed"))


def start_load(folder: Path, token: str, urls: Sequence[str]) -> list[tuple[subprocess.Popen[bytes], Path]]:
    """Start a producer and an annotator; return each with its notes."""
    started = []
    for role in ("producer", "annotator"):
        notes = folder / f"{role}.jsonl"
        words = [sys.executable, "-m", "benchmarks.chaos_load", role, str(notes), token, *urls]
        started.append((subprocess.Popen(words), notes))
    return started


def kill_one(processes: Sequence[Process], draw: random.Random, *, most_seconds: float) -> str:
    """Wait a random while, kill one of the processes, start it again, and return which it was.

    Two of three times everything is ready before the while begins; else it may end in the middle of a start.
    """
    if draw.random() < 2 / 3:
        for process in processes:
            process.ready()
        sleep(draw.random() * most_seconds)
    else:
        sleep(draw.random() * 2 * most_seconds)
    victim = draw.choice(processes)
    victim.kill()
    victim.start()
    return victim.name
