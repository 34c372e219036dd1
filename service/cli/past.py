"""A stream's history on the command line: its snapshots, going back, and the proof that it is what its log says."""

from __future__ import annotations

from time import sleep
from typing import Any

import httpx
import torch
from rich.console import Console

from service.cli.connection import checked, connected
from service.cli.failures import CommandError
from service.cli.transfer import progress_bar
from service.core.history.verification import verify
from service.settings import Settings
from service.storage.session import Database

_LOOK_EVERY_SECONDS = 0.05


def show_snapshots(settings: Settings, stream: str, console: Console, *, take: bool) -> None:
    """Print a stream's snapshots, newest first; with `take`, store the newest state before."""
    with connected(settings) as client:
        if take:
            answer = checked(client.post(f"/v1/streams/{stream}/snapshots", json={}))
            _wait(client, answer.json()["job"], console, f"{stream}: snapshot")
        items = _all(client, f"/v1/streams/{stream}/snapshots")
    table = [("ENTRY", "AS OF", "AT", "STATE", "")]
    for item in items:
        remarks = [name for name in ("beginning", "damaged") if item[name]]
        table.append((str(item["seq"]), str(item["as_of"]), item["at"], item["hash"][:16], ", ".join(remarks)))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(line.rstrip(), markup=False)


def roll_back(settings: Settings, stream: str, seq: int, console: Console) -> None:
    """Take a stream back to an entry, and wait until its model is there."""
    with connected(settings) as client:
        answer = checked(client.post(f"/v1/streams/{stream}:rollback", json={"seq": seq})).json()
        _wait(client, answer["job"], console, f"{stream}: back to {seq}")
    console.print(
        f"'{stream}' is as it was after entry {seq}; {answer['labels_taken_back']} labels no longer count. "
        f"This is entry {answer['seq']}; 'engram rollback {stream} --seq {answer['seq'] - 1}' takes it back"
    )


def verify_stream(db: Database, settings: Settings, stream: str, console: Console) -> None:
    """Print what a verification found.

    Raises:
        CommandError: where the stream is not what its log says.
    """
    torch.set_num_threads(1)  # as the service computes
    with progress_bar(console) as bar:
        task = bar.add_task(f"{stream}: replay", total=None)
        report = verify(db, stream, settings.device, lambda done, of: bar.update(task, completed=done, total=of))
    for note in report.notes:
        console.print(note, markup=False)
    if report.failures:
        more = len(report.failures) - 1
        raise CommandError(f"'{stream}': {report.failures[0]}{f'; and {more} more' if more else ''}")
    behind = f", from the horizon at {report.horizon}" if report.horizon else ""
    console.print(
        f"'{stream}' is what its log says: {report.entries} entries{behind}, {report.snapshots} snapshots, all agree"
    )


def _all(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    """Return the items of every page of a list."""
    items, params = list[dict[str, Any]](), dict[str, str]()
    while True:
        page = checked(client.get(path, params=params)).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        params = {"cursor": page["next_cursor"]}


def _wait(client: httpx.Client, job: dict[str, Any], console: Console, said: str) -> None:
    with progress_bar(console) as bar:
        task = bar.add_task(said, total=job["total"])
        while job["state"] != "done":
            if job["state"] == "failed":
                raise CommandError(f"the job {job['id']} failed and will be tried again: {job['error']}")
            sleep(_LOOK_EVERY_SECONDS)
            job = checked(client.get(f"/v1/jobs/{job['id']}")).json()
            bar.update(task, completed=job["done"], total=job["total"])
