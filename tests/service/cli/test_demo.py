"""`engram demo`: it ends where it was told to, and says why where it cannot go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.service.cli.commands import failed, run

ONCE = ("demo", "--oracle", "--once", "--pace", "0", "--port", "0")


def test_data_that_are_no_numbers_end_the_demo_with_the_sample_that_has_them(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(60, 2))
    rows[40, 1] = np.nan
    np.savez(tmp_path / "rows.npz", x=rows, y=np.arange(60) % 2)
    said = failed(*ONCE, "--data", tmp_path / "rows.npz", "--data-dir", tmp_path / "data")
    assert "the sample 'rows-000040' was refused: /data/1: must be a finite number, got NaN" in said


def test_a_demo_that_is_shorter_than_the_one_before_is_done_at_once(tmp_path: Path) -> None:
    first = run(*ONCE[:1], *ONCE[2:], "--samples", "120", "--data-dir", tmp_path)
    assert first.returncode == 0, first.stderr
    second = run(*ONCE, "--samples", "50", "--data-dir", tmp_path)
    assert (second.returncode, second.stderr) == (0, "")
    [line] = [line for line in second.stdout.splitlines() if line.startswith("Done")]
    assert line.startswith("Done: no more samples posted; ")
