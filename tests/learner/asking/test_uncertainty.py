from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from learner.asking.uncertainty import uncertainty
from learner.asking.uncertainty_kernels import softmax, summaries
from tests.learner.golden import golden

logits = arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-50, 50, width=32))


def test_uncertainty_equals_the_golden_numbers_to_nine_digits():
    for case in golden("uncertainty"):
        said = uncertainty(torch.tensor(case["logits"], dtype=torch.float64)[:, None])
        names = {"predictive_entropy": "_bits", "aleatoric": "_bits", "epistemic": "_bits", "variation_ratio": ""}
        for name, unit in names.items():
            assert float(getattr(said, name)) == pytest.approx(case[name + unit], abs=1e-9)
        assert said.mean_probabilities[0].tolist() == pytest.approx(case["mean_probabilities"], abs=1e-9)


@given(logits)
def test_the_kernel_equals_the_reference(votes: np.ndarray):
    (numbers,), (mean,) = summaries(softmax(votes[None]))
    said = uncertainty(torch.from_numpy(votes).double()[:, None])
    expected = [float(said.predictive_entropy), float(said.aleatoric), float(said.epistemic)]
    assert numbers[:3].tolist() == pytest.approx(expected, abs=1e-9)
    assert mean.tolist() == pytest.approx(said.mean_probabilities[0].tolist(), abs=1e-12)


@given(logits)
def test_uncertainties_stay_in_their_ranges(votes: np.ndarray):
    ((predictive, aleatoric, epistemic, ratio),), (mean,) = summaries(softmax(votes[None]))
    most = np.log2(votes.shape[1]) + 1e-9
    assert 0.0 <= epistemic <= predictive <= most
    assert 0.0 <= aleatoric <= most
    assert 0.0 <= ratio <= 1.0 - 1.0 / len(votes)
    assert mean.sum() == pytest.approx(1.0)
