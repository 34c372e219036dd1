"""`engram import`: rows that no one can use are named, and labels are not lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Running
from tests.service.cli.commands import failed, run


@pytest.fixture
def folder(service: Running) -> Path:
    """Return the folder of a service that runs and has a stream."""
    service.stream()
    return service.parts.settings.data_dir


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_a_nan_among_numbers_is_refused_by_its_row_and_the_others_are_taken(
    service: Running, folder: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "rows.npz", x=np.array([[1, 2], [np.nan, 1], [3, 4]]), y=np.array([0, 1, 0]))
    said = failed("import", "s", tmp_path / "rows.npz", "--data-dir", folder)
    assert "1 rows were refused: row 2: /data/0: must be a finite number, got NaN" in said
    assert service.stats()["samples"] == 2


def test_texts_that_are_none_are_refused_by_their_rows(service: Running, folder: Path, tmp_path: Path) -> None:
    file = lines(
        tmp_path / "rows.jsonl",
        {"data": [1, 2]},
        '{"data": [NaN, 1]}',
        r'{"id": "\ud800", "data": [1, 2]}',
        r'{"id": "\u0000", "data": [1, 2]}',
        {"id": "last", "data": [3, 4]},
    )
    said = failed("import", "s", file, "--data-dir", folder)
    assert "3 rows were refused: row 2: /data/0" in said
    assert "row 3: /id: must not contain half of a surrogate pair" in said
    assert "row 4: /id: must not contain the NUL character" in said
    assert service.stats()["samples"] == 2


def test_a_line_nested_too_deep_is_named(folder: Path, tmp_path: Path) -> None:
    file = lines(tmp_path / "rows.jsonl", {"data": [1, 2]}, '{"data": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert "line 2" in failed("import", "s", file, "--data-dir", folder)


def test_files_that_are_no_arrays_are_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "noise.npz").write_bytes(b"garbage")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and then nothing")
    with (tmp_path / "one.npz").open("wb") as file:
        np.save(file, np.zeros((2, 2)))
    np.savez(tmp_path / "objects.npz", x=np.array([{}, {}]), y=np.array([1, 2]))
    np.savez(tmp_path / "value.npz", x=np.float64(1))
    for name in ("noise", "cut", "one", "objects", "value"):
        said = failed("import", "s", tmp_path / f"{name}.npz", "--data-dir", folder)
        assert "allow_pickle" not in said
        assert f"{name}.npz: {'x and y must be rows' if name == 'value' else 'not a readable .npz file'}" in said


def test_labels_of_rows_that_are_there_already_are_posted_as_late_truths(
    service: Running, folder: Path, tmp_path: Path
) -> None:
    rows = [{"id": f"r{n}", "data": [n, -n], "label": "ab"[n % 2]} for n in range(4)]
    file = lines(tmp_path / "rows.jsonl", *rows)
    first = run("import", "s", file, "--no-labels", "--data-dir", folder)
    assert (first.returncode, first.stdout) == (0, "imported 4 of 4 rows into 's'\n")
    assert service.stats()["labels"] == 0
    more = {"id": "r4", "data": [4, 4], "label": "a"}
    second = run("import", "s", lines(tmp_path / "more.jsonl", *rows, more), "--data-dir", folder)
    assert second.returncode == 0, second.stderr
    assert "imported 5 of 5 rows into 's'; 4 of them were there already" in second.stdout
    assert "4 labels of these were posted as late truths" in second.stdout
    found = {item["sample_id"]: item["label"] for item in service.client.get("/v1/streams/s/labels").json()["items"]}
    assert found == {row["id"]: row["label"] for row in [*rows, more]}


def test_a_label_that_is_not_the_one_that_is_there_is_named(service: Running, folder: Path, tmp_path: Path) -> None:
    service.post([1, 2], id="mine", label="a")
    file = lines(tmp_path / "rows.jsonl", {"id": "mine", "data": [1, 2], "label": "b"})
    said = failed("import", "s", file, "--data-dir", folder)
    assert "1 labels were refused: row 1: this sample has the label 'a'" in said


def test_a_batch_says_which_of_its_samples_were_there_before(service: Running, folder: Path) -> None:
    service.post([1, 2], id="one")
    sent = [{"id": "two", "data": [1, 2]}, {"id": "one", "data": [1, 2], "label": "a"}, {"id": "two", "data": [1, 2]}]
    answer = service.client.post("/v1/streams/s/samples:batch", json={"samples": sent}).json()
    assert answer["known"] == [1, 2]
    assert [result["id"] for result in answer["results"]] == ["two", "one", "two"]
