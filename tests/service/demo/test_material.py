"""What the demo makes of a data set."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.datasets import DatasetError
from service.demo.material import gather


def written(folder: Path, rows: list[dict[str, Any]]) -> str:
    path = folder / "my rows.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return str(path)


@pytest.mark.parametrize(
    ("data", "described"),
    [
        ([1.0, 2.5, 3.0], {"kind": "vector", "dim": 3}),
        ([[0, 255], [3, 4], [5, 6]], {"kind": "image", "width": 2, "height": 3, "channels": 1}),
        ([[[0, 1, 2]]], {"kind": "image", "width": 1, "height": 1, "channels": 3}),
        ("send money", {"kind": "text"}),
        (
            {"age": 3, "city": "Oslo", "gap": None},
            {"kind": "tabular", "fields": {"age": "number", "city": "category", "gap": "category"}},
        ),
    ],
    ids=["vector", "grey image", "colour image", "text", "row"],
)
def test_a_file_tells_its_own_kind_of_input(tmp_path: Path, data: Any, described: dict[str, Any]) -> None:
    material = gather(written(tmp_path, [{"data": data, "label": "b"}, {"data": data, "label": "a"}]), None, seed=1)
    assert material.input == described
    assert material.name == "my-rows"
    assert material.classes == ["a", "b"]
    assert [sample.id for sample in material.samples] == ["my-rows-000000", "my-rows-000001"]


def test_rows_without_a_label_stay_away_and_a_file_without_any_is_refused(tmp_path: Path) -> None:
    some = [{"data": [1]}, {"data": [2], "label": 0}]
    assert [sample.data for sample in gather(written(tmp_path, some), None, seed=1).samples] == [[2]]
    with pytest.raises(DatasetError, match="no labelled row"):
        gather(written(tmp_path, some[:1]), None, seed=1)


def test_an_npz_is_taken_in_its_order_up_to_the_count(tmp_path: Path) -> None:
    images = np.arange(3 * 4).reshape(3, 2, 2)
    np.savez(tmp_path / "x.npz", x_train=images, y_train=np.array([7, 8, 9]))
    material = gather(str(tmp_path / "x.npz"), 2, seed=1)
    assert [sample.data for sample in material.samples] == images[:2].tolist()
    assert [sample.label for sample in material.samples] == ["7", "8"]


def test_digits_are_shuffled_anew_in_each_pass_and_alike_for_one_seed() -> None:
    first, again, other = (gather("digits", 2 * 1797, seed) for seed in (1, 1, 2))
    assert first == again
    assert first.samples != other.samples
    passes = [[json.dumps(s.data) for s in part] for part in (first.samples[:1797], first.samples[1797:])]
    assert passes[0] != passes[1]
    assert sorted(passes[0]) == sorted(passes[1])
