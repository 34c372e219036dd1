"""A sum whose order is the same for every length, however many numbers are added at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.sum_kernels import lane_sum, lanes_of_a_sum


def in_its_order(values: np.ndarray) -> np.float32:
    lanes, total = np.zeros(16, np.float32), np.float32(0.0)
    for n, value in enumerate(values):
        lanes[n % 16] += value
    for lane in lanes:
        total += lane
    return total


@given(st.integers(0, 600), st.integers(0, 2**32 - 1))
def test_a_sum_is_made_in_sixteen_lanes_in_their_order(size: int, seed: int) -> None:
    draw = np.random.Generator(np.random.Philox(seed))
    values = (draw.standard_normal(size) * 10.0 ** draw.uniform(-6.0, 6.0, size)).astype(np.float32)
    lanes = lanes_of_a_sum()
    lanes[:] = np.nan  # what is left of the sum before is not in this one
    assert lane_sum(values, lanes) == in_its_order(values)
