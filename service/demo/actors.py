"""Who takes part in the demo: a producer that posts, and an oracle that answers as a person would, but rightly."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from threading import Event
from time import monotonic
from typing import Any

import httpx
import numpy as np

from service.core.errors import EngramError
from service.datasets import Labelled

_MOST_OPEN = 24
"""With an oracle, the producer waits while more queries than this are open, as a busy team would ask it to."""

_BATCH = 8
_LEASED = 8


class Score:
    """How the predictions made at arrival compare with the truth."""

    def __init__(self) -> None:
        self.right: list[bool] = []
        self.asked = 0
        self.answered = 0

    def add(self, answer: dict[str, object], truth: str) -> None:
        """Count one answer of the service."""
        said = answer["prediction"]
        self.right.append(isinstance(said, dict) and said["label"] == truth)
        self.asked += answer["query"] is not None

    def recent(self, size: int) -> float:
        """Return the share of right predictions among the newest `size`."""
        newest = self.right[-size:]
        return sum(newest) / len(newest) if newest else 0.0


class Producer:
    """Posts samples at a pace."""

    def __init__(self, client: httpx.Client, stream: str, *, pace: float, wait_for_answers: bool) -> None:
        self._client = client
        self._stream = stream
        self._pace = pace
        self._wait = wait_for_answers

    def post(self, samples: Sequence[Labelled], score: Score, stop: Event) -> None:
        """Post all samples, counting the answers in `score`.

        Raises:
            EngramError: where one is refused.
        """
        started, size = monotonic(), 1 if self._pace else _BATCH
        for first in range(0, len(samples), size):
            part = samples[first : first + size]
            while self._wait and score.asked - score.answered > _MOST_OPEN and not stop.wait(0.002):
                pass
            if self._pace and stop.wait(max(0.0, started + first / self._pace - monotonic())):
                return
            if stop.is_set():
                return
            # Written here, as the client refuses what JSON cannot say, as NaN: of that the service tells where it is.
            body = json.dumps({"samples": [{"id": row.id, "data": row.data} for row in part]})
            answer = self._client.post(
                f"/v1/streams/{self._stream}/samples:batch", content=body, headers={"Content-Type": "application/json"}
            ).raise_for_status()
            for row, result in zip(part, answer.json()["results"], strict=True):
                if "detail" in result:
                    raise EngramError(f"the sample '{row.id}' was refused: {result['detail']}")
                score.add(result, str(row.label))


class Oracle:
    """Leases queries and gives the true label, after a delay spread as people's are."""

    def __init__(self, client: httpx.Client, stream: str, truths: dict[str, str], *, delay: float, seed: int) -> None:
        self._client = client
        self._stream = stream
        self._truths = truths
        self._delay = delay
        self._random = np.random.default_rng(seed)

    def answer(self, score: Score, finished: Event, stop: Event) -> None:
        """Answer until the producer has finished and nothing is open."""
        while not stop.is_set():
            wanted = {"limit": 1 if self._delay else _LEASED, "wait_seconds": 0.2}
            leased = self._client.post(f"/v1/streams/{self._stream}/queries:lease", json=wanted).raise_for_status()
            found = leased.json()["queries"]
            if not found and finished.is_set():
                return
            for query in found:
                if self._delay and stop.wait(self._think()):
                    return
                self._tell(query, score)

    def _tell(self, query: dict[str, Any], score: Score) -> None:
        lease, truth = {"lease_token": query["lease"]["token"]}, self._truths.get(query["sample_id"])
        if truth is None:  # of an earlier demo, which went further
            body = lease | {"reason": "not_for_me"}
            self._client.post(f"/v1/queries/{query['id']}:skip", json=body).raise_for_status()
            return
        self._client.post(f"/v1/queries/{query['id']}:answer", json=lease | {"label": truth}).raise_for_status()
        score.answered += 1

    def _think(self) -> float:
        """Return a delay whose median is the set one: people's are spread log-normally."""
        return self._delay * math.exp(0.4 * float(self._random.standard_normal()))
