from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import learner

SOURCES = sorted(Path(learner.__file__).parent.rglob("*.py"))
FORBIDDEN = {
    "fastapi", "sqlalchemy", "redis", "pydantic", "starlette", "uvicorn",
    "time", "datetime", "os", "pathlib", "io", "tempfile", "shutil", "random", "secrets", "socket", "pickle",
}  # fmt: skip
CALLS = {"open", "input", "print", "eval", "exec"}


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_module_knows_no_clock_no_file_no_service_and_no_global_randomness(source: Path):
    tree = ast.parse(source.read_text())
    assert not imported(tree) & FORBIDDEN
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & CALLS
    text = source.read_text()
    assert all(name not in text for name in ("manual_seed(", "np.random.rand", "random.seed(", "default_rng("))


def test_importing_the_learner_imports_no_service():
    code = "import learner, sys; print(sorted({'fastapi','sqlalchemy','redis','pydantic'} & set(sys.modules)))"
    root = Path(learner.__file__).parent.parent
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == "[]"
