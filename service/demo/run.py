"""Runs the demo: the service in this process, the actors beside it, progress in the terminal."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

import httpx
from rich.console import Console

from service.core.errors import EngramError
from service.core.parts import Parts
from service.datasets import DatasetError
from service.demo.actors import Oracle, Producer, Score
from service.demo.material import Material, gather
from service.serving import Server, admin_token, make_server, url_of

_HUMAN_DELAY_SECONDS = 0.25
_SAY_EVERY_SECONDS = 5.0
_LAST = {"digits": 500}
_LAST_OF_A_FILE = 2000


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command was asked for."""

    oracle: bool
    data: str
    pace: float
    delay: float | None
    samples: int | None
    budget: float
    seed: int
    once: bool


def run_demo(parts: Parts, bound: socket.socket, options: DemoOptions, console: Console) -> None:
    """Serve until stopped; post the data set meanwhile.

    Raises:
        EngramError: where the data set cannot be used.
    """
    try:
        material = gather(options.data, options.samples, options.seed)
    except DatasetError as error:
        raise EngramError(str(error)) from None
    server = make_server(parts, bound)
    token, _new = admin_token(parts, parts.settings.data_dir)
    url = url_of(bound)
    console.print(f"Engram serves {url}")
    console.print(f"Label at {url}/#/signin?token={token}&next=/label/{material.name}")
    console.print(f"Watch at {url}/#/operate/{material.name}")
    show = _Show(parts, server, options, material, url, str(token), console)
    thread = Thread(target=show.run, name="engram-demo", daemon=True)
    thread.start()
    server.run_process(bound)
    parts.stopping.set()
    thread.join(timeout=30)
    if show.failure is not None:
        raise EngramError(f"the demo broke off: {show.failure}")


class _Show:
    """What happens beside the server."""

    def __init__(
        self,
        parts: Parts,
        server: Server,
        options: DemoOptions,
        material: Material,
        url: str,
        token: str,
        console: Console,
    ) -> None:
        self._parts = parts
        self._server = server
        self._options = options
        self._material = material
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._console = console
        self._score = Score()
        self.failure: str | None = None

    def run(self) -> None:
        """Post and answer, then sum up."""
        try:
            while not self._parts.ready.wait(0.2):
                if self._parts.stopping.is_set():
                    return
            self._play()
        except (httpx.HTTPError, EngramError) as error:
            if not self._parts.stopping.is_set():
                self.failure = str(error)
                self._server.should_exit = True
        if self._options.once:
            self._server.should_exit = True

    def _play(self) -> None:
        options, material, stop = self._options, self._material, self._parts.stopping
        with self._client() as client, self._client() as answering:
            left = material.samples[self._begin(client) :]
            truths = {str(row.id): str(row.label) for row in material.samples}
            delay = options.delay if options.delay is not None else (_HUMAN_DELAY_SECONDS if options.pace else 0.0)
            producer = Producer(client, material.name, pace=options.pace, wait_for_answers=options.oracle)
            oracle = Oracle(answering, material.name, truths, delay=delay, seed=options.seed)
            finished = Event()
            jobs: list[Callable[[], None]] = [lambda: producer.post(left, self._score, stop)]
            answers = Thread(target=self._guard(lambda: oracle.answer(self._score, finished, stop)), daemon=True)
            if options.oracle:
                answers.start()
            posts = Thread(target=self._guard(*jobs), daemon=True)
            posts.start()
            self._report_while(posts, len(left))
            finished.set()
            if options.oracle:
                answers.join()
            if not stop.is_set():
                self._sum_up(client)

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self._url, headers=self._headers, timeout=60.0, trust_env=False)

    def _guard(self, *jobs: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                for job in jobs:
                    job()
            except (httpx.HTTPError, EngramError) as error:
                if not self._parts.stopping.is_set():
                    self.failure = str(error)
                    self._parts.stopping.set()
                    self._server.should_exit = True

        return run

    def _begin(self, client: httpx.Client) -> int:
        """Make the stream, or go on with the one that is there; return how many samples it has."""
        name = self._material.name
        body = {
            "name": name,
            "input": self._material.input,
            "classes": self._material.classes,
            "learner": {"seed": self._options.seed},
            "query": {"budget": self._options.budget},
            "guidelines": "Press the key of the class that you see. Skip what nobody could tell.",
        }
        answer = client.post("/v1/streams", json=body)
        if answer.is_client_error and answer.status_code != 409:
            raise EngramError(answer.json()["detail"])
        if answer.status_code != 409:
            answer.raise_for_status()
            return 0
        posted = int(client.get(f"/v1/streams/{name}/stats").raise_for_status().json()["samples"])
        self._console.print(f"The stream '{name}' is there already with {posted} samples; going on from there.")
        return posted

    def _report_while(self, posts: Thread, total: int) -> None:
        said = monotonic()
        with self._console.status("") as status:
            while posts.is_alive():
                posts.join(0.2)
                line = self._line(total)
                status.update(line)
                if not self._console.is_terminal and monotonic() - said > _SAY_EVERY_SECONDS:
                    said = monotonic()
                    self._console.print(line)

    def _line(self, total: int) -> str:
        score, posted = self._score, len(self._score.right)
        share = score.asked / posted if posted else 0.0
        return (
            f"{posted}/{total} posted · {score.recent(500):.1%} of the last 500 right · "
            f"{score.asked} asked ({share:.1%}) · {score.answered} answered"
        )

    def _sum_up(self, client: httpx.Client) -> None:
        stats = client.get(f"/v1/streams/{self._material.name}/stats").raise_for_status().json()
        last = _LAST.get(self._options.data, _LAST_OF_A_FILE)
        posted, queries = len(self._score.right), stats["queries"]
        right = f"; {self._score.recent(last):.2%} of the last {min(last, posted)} right at arrival" if posted else ""
        self._console.print(
            f"Done: {posted or 'no more'} samples posted{right}; {queries['asked']} labels asked for, "
            f"{stats['query_rate']['overall']:.2%} of all; "
            f"{queries['answered']} given, {queries['withdrawn']} withdrawn."
        )
        if not self._options.once:
            self._console.print(f"Still serving {self._url}; stop with Ctrl+C.")
