"""The queue under many hands, and when it is very long: times, order, and what must never happen.

    python -m benchmarks.queue [--annotators 20] [--queue 10000] [--open 1000000] [--database postgresql]

First a crew of annotators works through HTTP on a queue of digits (scikit-learn's), each lease followed by some
thinking and an answer that is learned; now and then one answers after the end of the lease. `faults` counts what must
be 0: queries answered by two or held by two at one moment, answers accepted after the lease or refused within it,
annotators who got nothing. Then everybody stops and answers what is held, and as soon as that is learned the best
queries are leased in the order in which they are served: `order_at_once` is its rank correlation (Spearman) with the
utility of the same samples under the model of that moment, `--looks` times with some work in between and in the mean.
`order` is that of those which follow once nothing was learned for `--rest` seconds, and `order_carried` that of the
utilities of one lot before and after two of it were answered: what an order is worth that is two answers old.

Then one annotator works alone on a stream with a million open queries that were put into the database beforehand, and
onto the disk, so that nothing measured waits for that. `slowest_lease` is the number of the one that took longest.

Times are those of a client on the same machine, in milliseconds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import httpx
import numpy as np
from scipy.stats import spearmanr
from sklearn.datasets import load_digits

from benchmarks.annotators import Annotator, Caller, faults, work_together
from benchmarks.chaos import database
from benchmarks.chaos_processes import Process
from benchmarks.queue_filling import fill
from benchmarks.reporting import report
from learner.asking.strategies import STRATEGIES
from learner.state import Prediction
from service.app import build_parts, close_parts
from service.core import access
from service.settings import Settings

STREAM = "queue"
_BATCH = 500
_LEASE_SECONDS = 15
_BETWEEN_LOOKS_SECONDS = 12.0
_STRATEGY = "variation_ratio"
_CLASSES = [str(digit) for digit in range(10)]

Tokens = list[str]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both parts, each on a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotators", type=int, default=20)
    parser.add_argument("--queue", type=int, default=10_000, help="open queries that they work on; 0 leaves this out")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they work")
    parser.add_argument("--think", type=float, default=1.0, help="mean seconds between lease and answer")
    parser.add_argument(
        "--rest", type=float, default=5.0, help="seconds without an answer before the order is looked at"
    )
    parser.add_argument("--looks", type=int, default=3, help="how often the order at once is looked at")
    parser.add_argument("--served", type=int, default=500, help="queries whose order is looked at")
    parser.add_argument("--open", type=int, default=1_000_000, help="open queries of the long queue; 0 leaves it out")
    parser.add_argument("--answers", type=int, default=500, help="leases and answers on the long queue")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args(arguments)
    for part, find, open_queries in (("crew", crew, 0), ("long", long, options.open)):
        if (part == "crew" and not options.queue) or (part == "long" and not options.open):
            continue
        with served(options.database, open_queries, options.annotators) as (url, tokens):
            load = os.getloadavg()[0]
            told = {"part": part, "database": options.database, "cores": os.cpu_count(), "load_before": load}
            report("queue", told | find(url, tokens, options))


@contextmanager
def served(kind: str, open_queries: int, annotators: int) -> Iterator[tuple[str, Tokens]]:
    """Serve an empty database, or one with a long queue; yield the address, the admin's token and the annotators'."""
    with tempfile.TemporaryDirectory(prefix="engram-queue-") as folder, database(kind, Path(folder)) as address:
        data = Path(folder) / "data"
        parts = build_parts(Settings(data_dir=data, database_url=None if kind == "sqlite" else address))
        try:
            if open_queries:
                fill(parts, STREAM, open_queries)
                os.sync()
            roles = [access.Role.ADMIN] + [access.Role.ANNOTATOR] * annotators
            tokens = [parts.db.write_now(partial(access.create, clock=parts.clock, role=role))[1] for role in roles]
        finally:
            close_parts(parts)
        settings = {"ENGRAM_DATA_DIR": str(data), "ENGRAM_LEASE_SECONDS": str(_LEASE_SECONDS)}
        process = Process(Path(folder), ["serve"], settings | _where(kind, address))
        process.start()
        try:
            process.ready()
            yield process.url, tokens
        finally:
            process.kill()


def crew(url: str, tokens: Tokens, options: argparse.Namespace) -> dict[str, Any]:
    """Let annotators work on a queue of digits, then look at the order in which the rest is served."""
    admin = client(url, tokens[0])
    truth = post_digits(admin, options.queue)
    people = [
        Annotator(number, Caller(url, token), STREAM, truth.__getitem__, options.think)
        for number, token in enumerate(tokens[1:])
    ]
    at_once = []
    for look in range(options.looks):
        work_together(people, options.seconds if look == 0 else _BETWEEN_LOOKS_SECONDS)
        at_once.append(order_at_once(admin, options.served))
    counts = [len(person.held) for person in people]
    found = {
        "annotators": len(people),
        "queue": options.queue,
        "think_s": options.think,
        "leases": sum(counts),
        "fewest_leases": min(counts),
        "most_leases": max(counts),
        **milliseconds("lease", [seconds for person in people for seconds in person.lease_seconds]),
        **milliseconds("answer", [seconds for person in people for seconds in person.answer_seconds]),
        "order_at_once": at_once,
        "order_at_once_mean": float(np.mean(looks)) if (looks := [one for one in at_once if one is not None]) else None,
        "order": sleep(options.rest) or order_served(admin, options.served),
        "order_carried": order_carried(admin, options.served, truth),
        "faults": faults(people),
        "load_after": os.getloadavg()[0],
    }
    admin.close()
    return found


def long(url: str, tokens: Tokens, options: argparse.Namespace) -> dict[str, Any]:
    """Let one annotator lease and answer without a pause on a long queue, and look at the figures meanwhile."""
    caller, admin = Caller(url, tokens[1]), client(url, tokens[0])
    leases, answers, looks = [], [], []
    stats = admin.get(f"/v1/streams/{STREAM}/stats").raise_for_status().json()
    begun = stats["queries"]["open"]
    for _ in range(options.answers):
        status, found, took = caller.post(f"/v1/streams/{STREAM}/queries:lease", {"limit": 1})
        assert status == 200, found
        leases.append(took)
        query = found["queries"][0]
        body = {"lease_token": query["lease"]["token"], "label": str(len(answers) % 2)}
        status, found, took = caller.post(f"/v1/queries/{query['id']}:answer", body)
        assert status == 200, found
        answers.append(took)
        if len(answers) % 10 == 0:
            begin = perf_counter()
            stats = admin.get(f"/v1/streams/{STREAM}/stats").raise_for_status().json()
            looks.append(perf_counter() - begin)
    left = stats["queries"]["open"]
    caller.close()
    admin.close()
    times = {**milliseconds("lease", leases), **milliseconds("answer", answers), **milliseconds("stats", looks)}
    found = {"open": begun, "left": left, "answers": len(answers), **times, "slowest_lease": int(np.argmax(leases)) + 1}
    return found | {"load_after": os.getloadavg()[0]}


def post_digits(admin: httpx.Client, count: int) -> dict[str, str]:
    """Make a stream that asks for every sample, and post digits with noise; return the truth by sample id."""
    body = {
        "name": STREAM,
        "input": {"kind": "image", "width": 8, "height": 8, "channels": 1},
        "classes": _CLASSES,
        "learner": {"seed": 7},
        "query": {"strategy": _STRATEGY, "warmup_labels": count},
    }
    admin.post("/v1/streams", json=body).raise_for_status()
    pictures, labels = load_digits(return_X_y=True)
    draw = np.random.default_rng(7)
    chosen = draw.integers(len(pictures), size=count)
    noisy = np.clip(pictures[chosen] * 15.9 + draw.normal(0.0, 10.0, (count, 64)), 0, 255).astype(np.uint8)
    truth = {f"d-{n}": str(labels[index]) for n, index in enumerate(chosen)}
    for start in range(0, count, _BATCH):
        rows = noisy[start : start + _BATCH].reshape(-1, 8, 8).tolist()
        sent = [{"id": f"d-{start + n}", "data": row} for n, row in enumerate(rows)]
        results = admin.post(f"/v1/streams/{STREAM}/samples:batch", json={"samples": sent}).raise_for_status().json()
        assert all(result["query"] for result in results["results"])
    return truth


def order_at_once(admin: httpx.Client, count: int) -> float | None:
    """Return the order in which queries are served as soon as every answer is learned, and give them back."""
    while (stats := admin.get(f"/v1/streams/{STREAM}/stats").json())["model_version"] < stats["log_seq"]:
        sleep(0.001)
    leased = lease_best(admin, count)
    found = order_of(admin, leased)
    for query in leased:
        admin.post(f"/v1/queries/{query['id']}:release", json={"lease_token": query["lease"]["token"]})
    return found


def order_served(admin: httpx.Client, count: int) -> float | None:
    """Return the rank correlation of the order in which queries are served with their utility by the current model."""
    return order_of(admin, lease_best(admin, count))


def order_of(admin: httpx.Client, leased: Sequence[dict[str, Any]]) -> float | None:
    """Return the rank correlation of an order of queries with their utility by the current model."""
    if len(leased) < 3:
        return None
    return float(spearmanr(np.arange(len(leased)), -np.array(utilities(admin, leased))).statistic)


def order_carried(admin: httpx.Client, count: int, truth: dict[str, str]) -> float | None:
    """Return the rank correlation of the best queries' utilities before and after two of them were answered."""
    leased = lease_best(admin, count)
    if len(leased) < 5:
        return None
    before = utilities(admin, leased)[2:]
    for query in leased[:2]:
        body = {"lease_token": query["lease"]["token"], "label": truth[query["sample_id"]]}
        admin.post(f"/v1/queries/{query['id']}:answer", json=body).raise_for_status()
    sleep(1.0)
    return float(spearmanr(before, utilities(admin, leased[2:])).statistic)


def lease_best(admin: httpx.Client, count: int) -> list[dict[str, Any]]:
    """Lease so many queries, or all there are, in the order in which they are served."""
    leased: list[dict[str, Any]] = []
    while len(leased) < count:
        answer = admin.post(f"/v1/streams/{STREAM}/queries:lease", json={"limit": 10}).raise_for_status().json()
        if not answer["queries"]:
            break
        leased += answer["queries"]
    return leased


def utilities(admin: httpx.Client, leased: Sequence[dict[str, Any]]) -> list[float]:
    """Return the utilities of queries' samples by the current model."""
    said = [admin.get(f"/v1/streams/{STREAM}/samples/{query['sample_id']}?at=now").json()["now"] for query in leased]
    return [STRATEGIES[_STRATEGY](as_prediction(one)) for one in said]


def as_prediction(body: dict[str, Any]) -> Prediction:
    """Return what the API says of a sample as the library has it."""
    return Prediction(**body["prediction"], **body["uncertainty"])


def milliseconds(name: str, seconds: Sequence[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum."""
    found = np.quantile(np.array(seconds) * 1000.0, (0.5, 0.99, 1.0)).tolist()
    return dict(zip((f"{name}_p50_ms", f"{name}_p99_ms", f"{name}_max_ms"), found, strict=True))


def client(url: str, token: str) -> httpx.Client:
    """Return a client with that token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False)


def _where(kind: str, address: str) -> dict[str, str]:
    return {} if kind == "sqlite" else {"ENGRAM_DATABASE_URL": address}


if __name__ == "__main__":
    main()
