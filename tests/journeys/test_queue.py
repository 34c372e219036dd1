"""Twenty annotators on one queue, the service killed while they work: what the queue promises holds all the same."""

from __future__ import annotations

from pathlib import Path
from time import sleep

import httpx

from benchmarks.annotators import Annotator, Caller, faults, work_together
from benchmarks.chaos_processes import Process
from service.app import build_parts, close_parts
from service.core import access
from service.settings import Settings
from tests.conftest import eventually

PEOPLE, QUERIES = 20, 300


def tokens(folder: Path) -> list[str]:
    """Make an admin's token and those of annotators, before the service holds the folder."""
    parts = build_parts(Settings(data_dir=folder))
    try:
        roles = [access.Role.ADMIN] + [access.Role.ANNOTATOR] * PEOPLE
        return [parts.db.write_now(lambda c: access.create(c, parts.clock, role))[1] for role in roles]  # noqa: B023
    finally:
        close_parts(parts)


def test_no_query_is_answered_by_two_nobody_is_starved_and_no_lease_outlives_its_end(tmp_path: Path) -> None:
    admin, *others = tokens(tmp_path / "data")
    process = Process(tmp_path, ["serve"], {"ENGRAM_DATA_DIR": str(tmp_path / "data"), "ENGRAM_LEASE_SECONDS": "3"})
    process.start()
    try:
        process.ready()
        headers = {"Authorization": f"Bearer {admin}"}
        with httpx.Client(base_url=process.url, headers=headers, timeout=60, trust_env=False) as client:
            stream = {
                "name": "s",
                "input": {"kind": "vector", "dim": 2},
                "classes": ["0", "1"],
                "learner": {"seed": 7, "hidden": [16]},
                "query": {"warmup_labels": QUERIES},
            }
            client.post("/v1/streams", json=stream).raise_for_status()
            sent = [{"id": f"x-{n}", "data": [n % 17 - 8, n % 5 - 2]} for n in range(QUERIES)]
            client.post("/v1/streams/s/samples:batch", json={"samples": sent}).raise_for_status()

            def truth(sample_id: str) -> str:
                return str(int(sample_id.removeprefix("x-")) % 17 // 9)

            crew = [
                Annotator(number, Caller(process.url, token), "s", truth, think=0.2)
                for number, token in enumerate(others)
            ]

            def killed() -> None:
                sleep(2)
                process.kill()
                process.start()
                process.ready()
                eventually(lambda: sum(bool(one.held) for one in crew), lambda served: served == PEOPLE, 60)

            work_together(crew, 4, meanwhile=killed)
            assert faults(crew) == dict.fromkeys(
                ("answered_by_two", "held_by_two", "outlived", "refused", "starved"), 0
            )
            stats = eventually(
                lambda: client.get("/v1/streams/s/stats").json(), lambda s: s["model_version"] == s["log_seq"]
            )
            accepted = {held.query for one in crew for held in one.held if held.status == 200}
            assert stats["labels"] == stats["queries"]["answered"] == len(accepted)
            assert process.failures() == 0
    finally:
        process.kill()
