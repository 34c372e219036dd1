"""Many at once: nothing is lost, nothing is done twice, and no query is held by two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx

from service.storage import log, streams
from tests.conftest import Running

THREADS = 8


def together(work: Any) -> list[Any]:
    """Run `work(n)` in eight threads that begin at one moment."""
    start = Barrier(THREADS)

    def begin(n: int) -> Any:
        start.wait(10)
        return work(n)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def test_equal_and_different_ids_posted_at_once_are_each_taken_once(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"], query={"warmup_labels": 1000})

    def post(n: int) -> list[dict[str, Any]]:
        same = [service_on.post([k, -k], id=f"same{k}") for k in range(10)]
        for k in range(5):
            service_on.post([n, k], id=f"own{n}-{k}")
        batch = {"samples": [{"id": f"batch{k}", "data": [k, k]} for k in range(10)]}
        results = service_on.client.post("/v1/streams/s/samples:batch", json=batch).json()["results"]
        return same + results

    answers = together(post)
    assert all(answer == answers[0] for answer in answers)
    stats = service_on.stats()
    assert stats["samples"] == 10 + 5 * THREADS + 10
    assert stats["queries"]["asked"] == stats["samples"]
    lines = service_on.client.get("/v1/streams/s/export").text.splitlines()
    assert len(lines) == stats["samples"]


def test_truths_told_at_once_are_learned_once_each_without_a_gap(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])

    def tell(n: int) -> list[Any]:
        for k in range(6):
            service_on.post([k, 1], id=f"t{k}", label="ab"[k % 2])
            service_on.post([n, k], id=f"own{n}-{k}", label="a")
        found = [
            service_on.client.post("/v1/streams/s/labels", json={"sample_id": f"t{k}", "label": "ab"[k % 2]}).json()
            for k in range(6)
        ]
        return [(label["label_id"], label["seq"]) for label in found]

    answers = together(tell)
    assert all(answer == answers[0] for answer in answers)
    stats = service_on.settled()
    assert stats["labels"] == stats["log_seq"] == 6 + 6 * THREADS
    stream = service_on.parts.db.read_now(lambda c: streams.by_name(c, "s"))
    assert stream is not None
    entries = service_on.parts.db.read_now(lambda c: log.entries(c, stream.id, 0, 1000))
    assert [entry.seq for entry in entries] == list(range(1, stats["log_seq"] + 1))
    assert stats["health"]["classes"] == {"a": 3 + 6 * THREADS, "b": 3}


def work_through(client: httpx.Client, label: str) -> tuple[list[str], list[int]]:
    """Lease and answer until nothing is left."""
    held: list[str] = []
    seqs: list[int] = []
    while True:
        queries = client.post("/v1/streams/s/queries:lease", json={"limit": 3}).raise_for_status().json()["queries"]
        if not queries:
            return held, seqs
        for query in queries:
            held.append(query["id"])
            body = {"lease_token": query["lease"]["token"], "label": label}
            answer = client.post(f"/v1/queries/{query['id']}:answer", json=body)
            assert answer.status_code == 200, answer.text
            seqs.append(answer.json()["seq"])


def test_annotators_who_lease_at_once_never_share_a_query(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"], query={"warmup_labels": 1000})
    batch = {"samples": [{"data": [n % 9, n % 5]} for n in range(60)]}
    service_on.client.post("/v1/streams/s/samples:batch", json=batch).raise_for_status()
    with service_on.as_role("annotator") as ada, service_on.as_role("annotator") as ben:
        found = together(lambda n: work_through((ada, ben)[n % 2], "ab"[n % 2]))
    held = [query for queries, _ in found for query in queries]
    assert len(held) == len(set(held)) == 60
    assert sorted(seq for _, seqs in found for seq in seqs) == list(range(1, 61))
    stats = service_on.settled()
    assert (stats["queries"]["answered"], stats["queries"]["open"], stats["labels"]) == (60, 0, 60)


def test_one_lease_answered_by_eight_at_once_is_one_label(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    service_on.post([1, 2])
    [query] = service_on.lease()
    body = {"lease_token": query["lease"]["token"]}

    def answer(n: int) -> tuple[int, str | None]:
        found = service_on.client.post(f"/v1/queries/{query['id']}:answer", json=body | {"label": "ab"[n % 2]})
        return found.status_code, found.json().get("label_id")

    found = together(answer)
    assert sorted(status for status, _ in found) == [200] * 4 + [409] * 4
    assert len({label for _, label in found if label}) == 1
    assert service_on.settled()["labels"] == 1


def test_one_label_taken_back_by_eight_at_once_is_taken_back_once(service_on: Running) -> None:
    service_on.stream(classes=["a", "b"])
    service_on.post([1, 2])
    label = service_on.answer(service_on.lease()[0], "a")["label_id"]
    found = together(lambda _: service_on.client.delete(f"/v1/labels/{label}").json()["query"])
    assert sum(query is not None for query in found) == 1
    stats = service_on.settled()
    assert (stats["log_seq"], stats["labels"], stats["queries"]["answered"]) == (2, 0, 0)
