from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import learner

ROOT = Path(learner.__file__).parent
KERNELS = sorted(ROOT.rglob("*kernels.py"))
CALLER = """
import numpy as np
from learner.memory.mixture_kernels import imprint
print(imprint(np.zeros((3, 1), np.uint8), 0, np.ones(3, np.uint8)))
"""


def said_by(folder: Path) -> float:
    ran = subprocess.run([sys.executable, "-c", CALLER], cwd=folder, capture_output=True, text=True, check=True)
    return float(ran.stdout)


def test_a_kernel_is_compiled_anew_where_one_that_it_uses_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The compiler's cache lies beside the sources, as where the learner is installed.
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    shutil.copytree(ROOT, tmp_path / "learner", ignore=shutil.ignore_patterns("__pycache__"))
    first = said_by(tmp_path)
    assert said_by(tmp_path) == first
    used = tmp_path / "learner" / "memory" / "likelihood_kernels.py"
    used.write_text(used.read_text().replace("OFF = np.log(1.0 - _LEVELS)", "OFF = np.log(1.0 - _LEVELS) + 100.0"))
    assert said_by(tmp_path) == pytest.approx(first + 300.0)


@pytest.mark.parametrize("source", KERNELS, ids=lambda path: path.stem)
def test_a_kernel_uses_nothing_but_kernels(source: Path) -> None:
    """So that the digest of all kernels covers whatever one is made of."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("learner"):
            assert node.module.endswith(("kernels", ".compiling")) or all(
                alias.name.endswith("kernels") for alias in node.names
            ), f"{source.name} imports {node.module}"


def test_whatever_is_compiled_is_in_a_file_of_kernels() -> None:
    others = [source for source in ROOT.rglob("*.py") if source not in KERNELS and source.name != "compiling.py"]
    assert len(others) > 30
    assert [source.name for source in others if "learner.compiling" in source.read_text()] == []
