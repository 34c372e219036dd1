from __future__ import annotations

import numpy as np
import pytest
from river import checks
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import check_estimator

from learner import EngramClassifier, build

SMALL = EngramClassifier(hidden=(32,))
RIVER = EngramClassifier(hidden=(16,)).to_river()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the suite provokes warnings on purpose and checks them itself
def test_scikit_learns_own_checks_pass():
    found = check_estimator(EngramClassifier(hidden=(32,)), on_fail=None, on_skip=None)
    assert [one["check_name"] for one in found if one["status"] not in {"passed", "skipped"}] == []


@pytest.mark.parametrize("check", list(checks.yield_checks(RIVER)), ids=lambda check: check.__name__)
def test_rivers_own_checks_pass(check):
    if check.__name__ not in RIVER._unit_test_skips():
        check(RIVER.clone())


def test_the_estimator_says_what_the_library_says():
    x, y = load_digits(return_X_y=True)
    classifier = EngramClassifier(hidden=(32,), random_state=3).partial_fit(x[:60], y[:60], classes=np.arange(10))
    learner = build({"kind": "vector", "dim": 64}, seed=3, hidden=(32,))
    state = learner.start(tuple("0123456789"))
    for seq in range(60):
        state, _ = learner.learn(state, x[seq].astype(np.float32), str(y[seq]), seq=seq + 1)
    said = learner.scorer(state).predict(x[70].astype(np.float32))
    assert classifier.predict_proba(x[70:71])[0].tolist() == list(said.probabilities.values())


def test_learning_in_parts_is_learning_at_once_and_a_class_may_come_late():
    x, y = load_digits(return_X_y=True)
    once = EngramClassifier(hidden=(32,)).partial_fit(x[:80], y[:80], classes=np.arange(10))
    parts = (
        EngramClassifier(hidden=(32,))
        .partial_fit(x[:30], y[:30], classes=np.arange(10))
        .partial_fit(x[30:80], y[30:80])
    )
    assert np.array_equal(once.predict_proba(x[80:90]), parts.predict_proba(x[80:90]))
    late = EngramClassifier(hidden=(32,)).partial_fit(x[:40], np.where(y[:40] > 4, "z", "m"))
    late.partial_fit(x[40:60], np.full(20, "a"))
    assert late.classes_.tolist() == ["a", "m", "z"]
    assert late.predict_proba(x[:5]).sum(axis=1) == pytest.approx(1.0)


def test_no_epoch_is_refused():
    with pytest.raises(ValueError, match="epochs must be >= 1"):
        EngramClassifier(epochs=0).fit([[0.0], [1.0]], [0, 1])
