"""What accuracy is computed from, as the database counts it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from learner.watching.strata import CAME_WITH_TRUTH, EDGES, NEVER_ASKED, age_of, stratum_of
from service.app import build_parts, close_parts
from service.core.parts import Parts
from service.settings import Settings
from service.storage import accuracy, log, samples, streams

STEP = 100


@pytest.fixture
def parts(tmp_path: Path, database_url: str) -> Iterator[Parts]:
    made = build_parts(Settings(data_dir=tmp_path, database_url=database_url))
    yield made
    close_parts(made)


def fill(connection: Connection) -> int:
    """Make a stream of samples at all propensities, with labels for some; return its id."""
    empty = {"input": {}, "initial_classes": [], "classes": [], "open_classes": True, "learner": {}, "query": {}}
    stream = streams.insert(connection, name="s", **empty, guidelines="", colours={}, created_at=0)
    assert stream is not None
    rng = random.Random(0)
    rows = []
    for n in range(400):
        p = rng.choice([None, 0.0, 1.0, 0.5, 0.3, 0.005, 1e-6, *EDGES])
        said = {"label": rng.choice("ab"), "confidence": 0.9, "probabilities": {}} if n else None
        asked = p is not None and rng.random() < p
        row = {"stream_id": stream.id, "id": f"s{n}", "features": b"", "prediction": said, "model_version": n}
        rows.append(row | {"predictive_entropy": said and 0.1, "asked": asked, "propensity": p, "at": n})
    numbers = samples.insert(connection, rows)
    told = [(r["propensity"], r["asked"], r["model_version"]) for r in rows if r["prediction"]]
    accuracy.count(connection, stream.id, told[:150])
    accuracy.count(connection, stream.id, told[150:])
    for n, row in enumerate(rows):
        if n % 3:
            continue
        seq = log.append(connection, stream.id, log.LABEL, n, label="a", features=b"")
        said = row["prediction"]
        label = {"id": f"l{n}", "stream_id": stream.id, "sample_n": numbers[row["id"]], "seq": seq, "label": "a"}
        by = {"source": "gold" if n == 300 else "truth", "by": "t", "by_id": "t", "at": n}
        log.add_label(connection, label | by | {"correct": said and said["label"] == "a"})
    log.mark_retracted(connection, "l9", 1)
    return stream.id


def test_counts_as_they_come_equal_a_count_of_all(parts: Parts) -> None:
    stream = parts.db.write_now(fill)
    population = parts.db.read_now(lambda c: accuracy.population(c, stream))
    newest, first = parts.db.read_now(lambda c: accuracy.newest(c, stream, 10_000))
    assert sorted(population) == sorted(newest)
    assert {row.stratum for row in population} == {CAME_WITH_TRUTH, NEVER_ASKED, *range(len(EDGES) + 1)}
    assert sum(row.samples for row in population) == 399  # the first was not predicted
    assert all(row.stratum < 0 or stratum_of(row.least) == row.stratum for row in population)
    by_age = Counter[int]()
    for row in population:
        by_age[row.age] += row.samples
    assert by_age == Counter(age_of(version) for version in range(1, 400))
    lately, later = parts.db.read_now(lambda c: accuracy.newest(c, stream, 50))
    assert later > first
    assert sum(row.samples for row in lately) == 50


def test_labels_that_stand_are_counted_where_anything_was_predicted(parts: Parts) -> None:
    stream = parts.db.write_now(fill)
    outcomes = parts.db.read_now(lambda c: accuracy.labelled(c, stream))
    # every third of 400, less the first without a prediction, the one taken back, and the gold one
    assert sum(outcome.labelled.labels for outcome in outcomes) == 134 - 3
    assert all(outcome.labelled.right == (outcome.predicted == outcome.label) for outcome in outcomes)
    by_age = Counter[int]()
    for outcome in outcomes:
        of = outcome.labelled
        by_age[of.age] += of.labels
        assert of.stratum < 0 or stratum_of(min(1.0, of.propensity * (1 + 1e-12))) == of.stratum
    assert by_age == Counter(age_of(version) for version in range(0, 400, 3) if version not in (0, 9, 300))


def test_steps_add_up_to_the_whole(parts: Parts) -> None:
    stream = parts.db.write_now(fill)
    steps = parts.db.read_now(lambda c: accuracy.population_per_step(c, stream, 0, 400, STEP))
    labels = parts.db.read_now(lambda c: accuracy.labelled_per_step(c, stream, 0, 400, STEP))
    assert sorted(steps) == sorted(labels) == [0, 1, 2, 3]
    assert sum(row.samples for rows in steps.values() for row in rows) == 399
    assert sum(row.labels for rows in labels.values() for row in rows) == 134 - 3
