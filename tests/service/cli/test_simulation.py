"""`engram simulate`: what it reads, what it tells, how it fails."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from service.cli.commands import app

ROWS = 150


@pytest.fixture(scope="module")
def points() -> tuple[list[list[float]], list[str]]:
    draw = np.random.Generator(np.random.Philox(4))
    sides = draw.integers(0, 2, ROWS)
    rows = (draw.normal(size=(ROWS, 2)) + 3 * sides[:, None]).astype(np.float32)
    return rows.tolist(), [("left", "right")[side] for side in sides]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, points: tuple[list[list[float]], list[str]]) -> Path:
    """Return a folder with the same rows in each format that is read."""
    folder, (rows, labels) = tmp_path_factory.mktemp("files"), points
    np.savez(folder / "points.npz", x=np.array(rows, np.float32), y=np.array(labels))
    with gzip.open(folder / "points.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"point": row, "side": side}) + "\n" for row, side in zip(rows, labels, strict=True))
    with (folder / "points.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["x", "y", "side"], *([*row, side] for row, side in zip(rows, labels, strict=True))]
        )
    return folder


def simulated(*words: str | Path) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["simulate", *map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_every_pair_of_strategy_and_budget_is_told(files: Path) -> None:
    found = simulated(
        files / "points.npz", "--strategy", "margin", "--strategy", "random", "--budget", "0.1", "--budget", "0.3"
    )
    runs = found["runs"]
    assert [(run["policy"]["strategy"], run["policy"]["budget"]) for run in runs] == [
        ("margin", 0.1), ("margin", 0.3), ("random", 0.1), ("random", 0.3)
    ]  # fmt: skip
    assert found["classes"] == ["left", "right"]
    assert found["input"] == {"kind": "vector", "dim": 2}
    for run in runs:
        assert run["samples"] == 120
        assert run["share"] == run["labels"] / 120
        assert run["curve"][-1]["labels"] == run["labels"]
        assert 0.7 < run["accuracy"]["held_out"] <= 1.0
        assert run["estimate"]["low"] <= run["estimate"]["estimate"] <= run["estimate"]["high"]
    assert runs[0]["labels"] < runs[1]["labels"]


def test_the_file_s_format_changes_nothing(files: Path) -> None:
    fields = ["--data-field", "point", "--label-field", "side"]
    first = simulated(files / "points.npz")["runs"]
    assert simulated(files / "points.jsonl.gz", *fields)["runs"] == first
    assert simulated(files / "points.csv", *fields)["runs"] == first


def test_seeds_shuffle_and_a_part_of_the_rows(files: Path) -> None:
    words = (files / "points.npz", "--seeds", "2", "--samples", "100", "--held-out", "0.5")
    plain, shuffled = simulated(*words)["runs"], simulated(*words, "--shuffle")["runs"]
    assert [run["seed"] for run in plain] == [0, 1]
    assert {run["samples"] for run in plain} == {50}
    assert plain != shuffled
    assert simulated(*words, "--seed", "1")["runs"][0] == plain[1]


def test_a_table_and_a_picture(files: Path, tmp_path: Path) -> None:
    picture = tmp_path / "curve.png"
    words = ["simulate", str(files / "points.npz"), "--strategy", "margin", "--seeds", "2", "--plot", str(picture)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "points.npz: 120 samples posted, 30 held out; vector, 2 classes"
    assert "held out" in lines[1]
    assert lines[2].startswith("margin")
    assert "±" in lines[2]
    with Image.open(picture) as drawn:
        assert drawn.format == "PNG"
        assert drawn.width >= 800
        assert len(np.unique(np.asarray(drawn.convert("RGB")).reshape(-1, 3), axis=0)) > 10


def test_a_plot_is_a_png_by_its_name(files: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["simulate", str(files / "points.npz"), "--plot", str(tmp_path / "plot.pdf")])
    assert done.exit_code == 2
    assert "must end in .png" in done.output.replace("\n", " ")
    assert list(tmp_path.iterdir()) == []


def test_a_plot_that_cannot_be_written_is_told_before_the_work(files: Path, tmp_path: Path) -> None:
    plot = tmp_path / "no such folder" / "plot.png"
    done = CliRunner().invoke(app, ["simulate", str(files / "points.npz"), "--plot", str(plot)])
    assert done.exit_code == 1
    assert str(plot) in str(done.exception)
    assert "points.npz" not in done.output
    done = CliRunner().invoke(app, ["simulate", str(tmp_path / "none.npz"), "--plot", str(tmp_path / "plot.png")])
    assert done.exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"data": [1, 2], "label": "a"}', "at least 2 rows must have a label, 1 have one"),
        ('{"data": [1, 2], "label": "a"}\n{"data": [1], "label": "b"}', "labelled row 2: data must be a list of 2"),
        ('{"data": [[1], [2, 3]], "label": "a"}\n{"data": [1], "label": "b"}', "data must be vectors, images"),
        ("nonsense", "line 1: must be a JSON object"),
    ],
)
def test_a_file_that_does_not_do_is_named_with_the_reason(tmp_path: Path, row: str, says: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(row + "\n")
    done = CliRunner().invoke(app, ["simulate", str(path)])
    assert done.exit_code == 1
    assert str(path) in str(done.exception)
    assert says in str(done.exception)
