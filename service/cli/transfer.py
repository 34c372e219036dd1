"""Files in and out, over HTTP, with progress on a terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.cli.connection import checked, connected
from service.cli.failures import CommandError
from service.datasets import DatasetError, Labelled, read
from service.settings import Settings

_BATCH = 200
_SHOWN = 5
_JSON = {"Content-Type": "application/json"}


def progress_bar(console: Console) -> Progress:
    """Return a progress bar, silent where nobody watches."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not console.is_terminal,
    )


def import_file(
    settings: Settings, stream: str, path: Path, data_field: str, label_field: str | None, console: Console
) -> None:
    """Post a file's rows in batches; the same file again changes nothing where its rows have ids.

    The label of a row whose sample is there already is posted as its late truth.

    Raises:
        CommandError: where the file or the stream is not usable, or rows or labels were refused.
    """
    if not path.is_file():
        raise CommandError(f"{path}: there is no such file")
    posted = _Posted()
    with connected(settings) as client, progress_bar(console) as bar:
        described = checked(client.get(f"/v1/streams/{stream}")).json()["input"]
        try:
            rows = read(path, data_field, label_field, described.get("fields"))
        except DatasetError as error:
            raise CommandError(str(error)) from None
        task = bar.add_task(f"{path.name} → {stream}", total=len(rows))
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            posted.post(client, stream, part, start + 1)
            bar.advance(task, len(part))
    known = f"; {posted.known} of them were there already" if posted.known else ""
    late = f", and {posted.late} labels of these were posted as late truths" if posted.late else ""
    console.print(f"imported {len(rows) - len(posted.refused)} of {len(rows)} rows into '{stream}'{known}{late}")
    said = [_told(posted.refused, "rows"), _told(posted.unlearned, "labels")]
    if any(said):
        raise CommandError("; ".join(filter(None, said)))


class _Posted:
    """What became of the rows that were posted."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.unlearned: list[str] = []
        self.known = 0
        self.late = 0

    def post(self, client: httpx.Client, stream: str, rows: list[Labelled], first: int) -> None:
        """Post rows, of which the first has that number in its file."""
        # Written here, as the client refuses what JSON cannot say, as NaN: of that the service tells which row has it.
        body = json.dumps({"samples": [_sample(row) for row in rows]})
        answer = client.post(f"/v1/streams/{stream}/samples:batch", content=body, headers=_JSON)
        found = checked(answer).json()
        for number, result in enumerate(found["results"], first):
            if "detail" in result:
                self.refused.append(f"row {number}: {result['detail']}")
        self.known += len(found["known"])
        for index in found["known"]:
            self._post_late(client, stream, rows[index], first + index)

    def _post_late(self, client: httpx.Client, stream: str, row: Labelled, number: int) -> None:
        if row.label is None:
            return
        body = {"sample_id": row.id, "label": row.label}
        answer = client.post(f"/v1/streams/{stream}/labels", json=body)
        if answer.is_success:
            self.late += 1
        else:
            self.unlearned.append(f"row {number}: {answer.json()['detail']}")


def _told(refused: list[str], what: str) -> str:
    shown = "; ".join(refused[:_SHOWN])
    return f"{len(refused)} {what} were refused: {shown}{'; …' if len(refused) > _SHOWN else ''}" if refused else ""


def export_stream(settings: Settings, stream: str, form: str, output: Path | None) -> None:
    """Write a stream to a file or to standard output."""
    _download(settings, f"/v1/streams/{stream}/export", {"format": form}, output)


def export_committee(settings: Settings, stream: str, members: int, form: str, output: Path | None) -> None:
    """Write binary networks drawn from what a stream has learned to a file or to standard output."""
    _download(settings, f"/v1/streams/{stream}/committee", {"members": members, "format": form}, output)


def _download(settings: Settings, path: str, params: dict[str, str | int], output: Path | None) -> None:
    with connected(settings) as client:
        request = client.build_request("GET", path, params=params)
        answer = client.send(request, stream=True)
        try:
            if not answer.is_success:
                answer.read()
            checked(answer)
            _write(answer, output)
        finally:
            answer.close()


def _write(answer: httpx.Response, output: Path | None) -> None:
    if output is None:
        for part in answer.iter_bytes():
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        return
    with output.open("wb") as file:
        for part in answer.iter_bytes():
            file.write(part)


def _sample(row: Labelled) -> dict[str, Any]:
    found = {"id": row.id, "data": row.data, "display": row.display, "label": row.label}
    return {name: value for name, value in found.items() if value is not None}
