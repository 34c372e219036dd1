"""Near is a share of what is there: symmetric, wider with the radius, and never wrong about equal codes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from learner.asking.duplicates import COMPARED, LEAST_BITS, Asked, is_near, packed
from learner.encoders import TextEncoder

Z = 160
codes = arrays(np.uint8, Z, elements=st.integers(0, 1))
radii = st.floats(0.0, 1.0)


@given(a=codes, b=codes, radius=radii)
def test_near_is_what_the_formula_says_and_is_mutual(a: np.ndarray, b: np.ndarray, radius: float) -> None:
    expected = 2 * int((a != b).sum()) <= radius * (int(a.sum()) + int(b.sum()))
    assert is_near(packed(a), packed(b)[None], radius) == expected
    assert is_near(packed(b), packed(a)[None], radius) == expected


@given(a=codes, others=st.lists(codes, min_size=1, max_size=4), radius=radii)
def test_one_that_is_near_is_enough(a: np.ndarray, others: list[np.ndarray], radius: float) -> None:
    alone = [is_near(packed(a), packed(other)[None], radius) for other in others]
    assert is_near(packed(a), np.stack([packed(other) for other in others]), radius) == any(alone)


@given(a=codes, radius=radii)
def test_equal_codes_are_near_at_any_radius(a: np.ndarray, radius: float) -> None:
    assert is_near(packed(a), packed(a)[None], radius)


def test_a_short_code_tells_too_little() -> None:
    short = packed(np.ones(LEAST_BITS - 1, np.uint8)).tobytes()
    assert not Asked().with_one(short).has_near(short, 1.0)


def test_only_the_newest_are_compared() -> None:
    rows = [np.random.default_rng(n).integers(0, 2, Z).astype(np.uint8) for n in range(COMPARED + 1)]
    asked = Asked.of(packed(row).tobytes() for row in rows)
    assert not asked.has_near(packed(rows[0]).tobytes(), 0.01)
    assert asked.has_near(packed(rows[1]).tobytes(), 0.01)
    assert not asked.has_near(packed(rows[1]).tobytes(), 0.0)  # switched off


def test_a_text_is_near_to_itself_with_a_mark_more_and_not_to_another() -> None:
    encoder = TextEncoder()

    def code(text: str) -> bytes:
        return packed(encoder.code(encoder.encode(encoder.start(), text))).tobytes()

    asked = Asked().with_one(code("My card was declined in the shop this morning"))
    assert asked.has_near(code("my card was declined in the shop this morning!"), 0.1)
    assert not asked.has_near(code("How do I change my address?"), 0.1)


def test_a_radius_out_of_range_and_codes_of_other_lengths_are_refused() -> None:
    one = packed(np.ones(Z, np.uint8))
    with pytest.raises(ValueError, match="radius must be in 0 … 1, got 2"):
        is_near(one, one[None], 2)
    with pytest.raises(ValueError, match="codes must be 20 bytes long, as the others, got 16"):
        is_near(packed(np.ones(128, np.uint8)), one[None], 0.1)
