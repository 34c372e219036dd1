"""A producer and an oracle annotator that never give up, and note everything that was acknowledged to them.

    python -m benchmarks.chaos_load producer|annotator NOTES TOKEN URL [URL ...]

Each line of NOTES is one acknowledged thing. SIGTERM ends the work once the request under way is acknowledged.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import httpx

STREAM = "chaos"
DIM = 16
_PATIENCE_SECONDS = 120.0
_LEASED = 4
_SHARE_SENT_TWICE, _SHARE_WITH_TRUTH, _SHARE_RETRACTED = 0.1, 0.2, 0.02


def description() -> dict[str, Any]:
    """Return the stream that both work on."""
    return {
        "name": STREAM,
        "input": {"kind": "vector", "dim": DIM},
        "classes": ["0", "1"],
        "open_classes": True,
        "learner": {"seed": 7, "hidden": [64]},
        "query": {"budget": 0.3, "warmup_labels": 50},
    }


class Persistent:
    """Sends a request until a process answers it, whichever that is."""

    def __init__(self, urls: list[str], token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._clients = [httpx.Client(base_url=url, headers=headers, timeout=10, trust_env=False) for url in urls]
        self._turn = 0

    def send(self, method: str, path: str, body: dict[str, Any] | None, **headers: str) -> httpx.Response:
        """Return the first answer that is neither 'not now' nor 'ask again'.

        Raises:
            TimeoutError: where nobody answers for minutes.
        """
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < give_up:
            self._turn += 1
            client = self._clients[self._turn % len(self._clients)]
            try:
                answer = client.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code not in (429, 503):
                return answer
            time.sleep(0.05)
        raise TimeoutError(f"nobody answers {method} {path}")


class Stop:
    """Whether a signal asked for the end. An Event that is set while its own thread waits for it may wait for ever."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """Hear the signal."""
        self.asked = True


class Notes:
    """What was acknowledged, one line each; and whether an answer was ever not the one given before."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def add(self, kind: str, **found: Any) -> None:
        """Write a line at once."""
        self._file.write(json.dumps({"kind": kind} | found) + "\n")
        self._file.flush()


def produce(to: Persistent, notes: Notes, stop: Stop) -> None:
    """Post samples: most by their own id, some by key, some with their truth, some twice."""
    draw = random.Random(1)
    for n in _until(stop):
        data = [round(draw.gauss(0, 1), 4) for _ in range(DIM)]
        body: dict[str, Any] = {"data": data}
        headers = {}
        if n % 5:
            body["id"] = f"p{n}"
        else:
            headers["Idempotency-Key"] = f"k{n}"
        if draw.random() < _SHARE_WITH_TRUTH:
            body["label"] = truth(data)
        path = f"/v1/streams/{STREAM}/samples"
        answer = to.send("POST", path, body, **headers).raise_for_status().json()
        notes.add("sample", answer=answer, label=body.get("label"))
        if draw.random() < _SHARE_SENT_TWICE:
            again = to.send("POST", path, body, **headers).raise_for_status().json()
            if again != answer:
                notes.add("contradiction", first=answer, second=again)


def annotate(to: Persistent, notes: Notes, stop: Stop) -> None:
    """Lease queries and answer them rightly; now and then take an answer back."""
    draw = random.Random(2)
    for _ in _until(stop):
        leased = to.send("POST", f"/v1/streams/{STREAM}/queries:lease", {"limit": _LEASED}).raise_for_status()
        for query in leased.json()["queries"]:
            body = {"lease_token": query["lease"]["token"], "label": truth(query["data"])}
            answer = to.send("POST", f"/v1/queries/{query['id']}:answer", body)
            if answer.status_code == 410:
                notes.add("late", query=query["id"])
                continue
            said = answer.raise_for_status().json()
            notes.add("label", sample=query["sample_id"], query=query["id"], label=body["label"], **said)
            if draw.random() < _SHARE_RETRACTED:
                to.send("DELETE", f"/v1/labels/{said['label_id']}", None).raise_for_status()
                notes.add("retraction", label_id=said["label_id"])
        time.sleep(0.01)


def truth(data: list[float]) -> str:
    """Return the class that a sample has: a third one exists, so that classes are added too."""
    if data[0] > 1.2:
        return "2"
    return "1" if data[1] + data[2] > 0 else "0"


def _until(stop: Stop) -> Iterator[int]:
    n = 0
    while not stop.asked:
        yield n
        n += 1


def main() -> None:
    """Work until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["producer", "annotator"])
    parser.add_argument("notes", type=Path)
    parser.add_argument("token")
    parser.add_argument("urls", nargs="+")
    given = parser.parse_args()
    stop = Stop()
    signal.signal(signal.SIGTERM, stop)
    with given.notes.open("a") as file:
        work = produce if given.role == "producer" else annotate
        work(Persistent(given.urls, given.token), Notes(file), stop)


if __name__ == "__main__":
    main()
