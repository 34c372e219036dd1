from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from learner import BiMU, LearnerState, build
from learner.exporting import PackedCommittee, c_encoding, c_header, pack
from tests.conftest import skip_or_fail

READER = """
#include "committee.h"
#include <stdio.h>

int main(void)
{
    float features[ENGRAM_FEATURES], logits[ENGRAM_MEMBERS][ENGRAM_CLASSES], probabilities[ENGRAM_CLASSES];
    while (fread(features, sizeof features, 1, stdin) == 1) {
        int32_t best = engram_predict(features, probabilities);
        engram_logits(features, logits);
        fwrite(logits, sizeof logits, 1, stdout);
        fwrite(probabilities, sizeof probabilities, 1, stdout);
        fwrite(&best, sizeof best, 1, stdout);
    }
    return 0;
}
"""
ENCODER = """
#include "committee.h"
#include <stdio.h>

int main(void)
{
    INPUT input[SIZE];
    float features[ENGRAM_FEATURES];
    while (fread(input, sizeof input, 1, stdin) == 1) {
        engram_encode(input, features);
        fwrite(features, sizeof features, 1, stdout);
    }
    return 0;
}
"""
NAMES = """
#include "committee.h"
#include <stdio.h>

int main(void)
{
    int c;
    for (c = 0; c < ENGRAM_CLASSES; c++) {
        fputs(engram_classes[c], stdout);
        putchar('\\0');
    }
    return 0;
}
"""


def compiled(folder: Path, committee: PackedCommittee, program: str, encoding: str = "") -> Path:
    """Return a program that includes the committee's header, compiled without one warning."""
    compiler = shutil.which("cc")
    if compiler is None:
        skip_or_fail("no C compiler 'cc'")
    (folder / "committee.h").write_text("".join(c_header(committee, encoding)))
    (folder / "reader.c").write_text(program)
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsanitize=undefined"]
    flags += ["-fno-sanitize-recover=all"]
    command = [str(compiler), *flags, "-o", "reader", "reader.c", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "reader"


def read_by_c(folder: Path, committee: PackedCommittee, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return logits [R, S, C], probabilities [R, C] and classes [R] as the header finds them."""
    program = compiled(folder, committee, READER)
    written = subprocess.run([program], input=x.astype(np.float32).tobytes(), capture_output=True, check=True).stdout
    shape = (committee.members, len(committee.classes))
    each = np.dtype([("logits", np.float32, shape), ("p", np.float32, shape[1]), ("best", np.int32)])
    found = np.frombuffer(written, each)
    return found["logits"], found["p"], found["best"]


def assert_equal(folder: Path, committee: PackedCommittee, x: np.ndarray) -> None:
    logits, p, best = read_by_c(folder, committee, x)
    assert len(best) == len(x)
    assert np.allclose(logits, committee.votes(x), atol=1e-4)
    assert np.allclose(p, committee.probabilities(x), atol=1e-4)
    # Small networks tie: then either of the equal classes will do.
    expected = committee.probabilities(x)
    assert np.allclose(np.take_along_axis(expected, best[:, None], axis=1)[:, 0], expected.max(axis=1), atol=1e-6)


def test_c_and_python_say_the_same_of_real_digits(tmp_path: Path):
    x, y = load_digits(return_X_y=True)
    images = (x.reshape(-1, 8, 8, 1) * 255 / 16).astype(np.uint8)
    learner = build({"kind": "image", "width": 8, "height": 8, "channels": 1}, seed=3)
    state = learner.start()
    for seq in range(500):
        state, _ = learner.learn(state, images[seq], str(y[seq]), seq=seq + 1)
    rest = torch.stack([learner.encoder.encode(state.encoder, image) for image in images[500:]]).numpy()
    committee = pack(learner.network, state)
    assert_equal(tmp_path, committee, rest)
    logits, _, best = read_by_c(tmp_path, committee, rest)
    assert np.array_equal(logits, committee.votes(rest))
    assert np.array_equal(best, committee.probabilities(rest).argmax(-1))
    assert (best == [state.classes.index(str(c)) for c in y[500:]]).mean() > 0.7


@pytest.mark.parametrize(
    ("features", "hidden", "constant", "normed"),
    [
        (1, (3,), True, False),
        (8, (), True, False),
        (8, (), False, True),
        (13, (9,), False, False),
        (13, (17, 8), True, False),
        (40, (33, 20, 7), True, True),
        (2100, (12,), True, False),
    ],
    ids=str,
)
def test_every_shape_of_network_is_read_alike(
    tmp_path: Path, features: int, hidden: tuple[int, ...], constant: bool, normed: bool
):
    network = BiMU(features, hidden, constant_input=constant, normed_logits=normed, seed=6)
    state = LearnerState(0, ("a", "b", "c"), (0, 0, 0), (), network.start(3))
    draw = np.random.Generator(np.random.Philox(5))
    x = draw.normal(size=(60, features)) * np.array([1.0, 30.0, 2000.0]).repeat(20)[:, None]
    assert_equal(tmp_path, pack(network, state, members=5), np.concatenate([x, np.zeros((1, features))]))


def test_one_class_is_enough(tmp_path: Path):
    network = BiMU(4, (5,), seed=1)
    state = LearnerState(0, ("only",), (1,), (), network.start(1))
    assert_equal(tmp_path, pack(network, state, members=2), np.ones((3, 4), np.float32))


def test_names_come_through_whatever_they_hold(tmp_path: Path):
    names = ('"; system("x"); "', "back\\slash", "three??/", "Müller \U0001f980", "*/ int x;", "7", "%s", "a\x7fb")
    network = BiMU(2, (), seed=1)
    state = LearnerState(0, names, (0,) * len(names), (), network.start(len(names)))
    program = compiled(tmp_path, pack(network, state, members=1), NAMES)
    written = subprocess.run([program], capture_output=True, check=True).stdout
    assert tuple(written.decode().split("\0")[:-1]) == names


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"kind": "image", "width": 8, "height": 8, "channels": 1, "levels": 3, "projection": 5}, "uint8_t"),
        ({"kind": "vector", "dim": 64}, "float"),
        ({"kind": "vector", "dim": 64, "levels": 4, "projection": 9}, "float"),
    ],
    ids=["image", "vector", "vector, 4 levels"],
)
def test_c_makes_the_encoders_features_to_the_bit(tmp_path: Path, source: dict[str, object], kind: str):
    x, y = load_digits(return_X_y=True)
    rows = (x * 15.9).astype(np.uint8).reshape(-1, 8, 8, 1) if kind == "uint8_t" else x.astype(np.float32)
    learner = build(source, seed=3, hidden=(8,))
    state = learner.start()
    for seq in range(50):
        state, _ = learner.learn(state, rows[seq], str(y[seq]), seq=seq + 1)
    program = ENCODER.replace("INPUT", kind).replace("SIZE", "64")
    encoding = c_encoding(learner.encoder, state.encoder)
    made = compiled(tmp_path, pack(learner.network, state, members=1), program, encoding)
    written = subprocess.run([made], input=rows[50:].tobytes(), capture_output=True, check=True).stdout
    expected = torch.stack([learner.encoder.encode(state.encoder, row) for row in rows[50:]]).numpy()
    assert np.array_equal(np.frombuffer(written, np.float32).reshape(len(expected), -1), expected)


@pytest.mark.parametrize("source", [{"kind": "text", "dim": 16}, {"kind": "tabular", "fields": {"x": "number"}}])
def test_of_texts_and_tables_the_header_begins_at_features(source: dict[str, object]):
    learner = build(source, hidden=(4,))
    assert c_encoding(learner.encoder, learner.encoder.start()) == ""
