"""Made samples of each kind of input."""

from __future__ import annotations

import numpy as np

from learner.encoders import AnyInput


def sample(kind: str, n: int) -> AnyInput:
    """Return the n-th: vectors of 3 numbers, pictures of 4 x 3 pixels, texts, rows of a number and a word."""
    if kind == "vector":
        return np.array([n % 5, n % 7 - 3, (n * n) % 11], np.float32)
    if kind == "image":
        return (np.arange(12) * (n % 13 + 1) * 7 % 256).astype(np.uint8).reshape(3, 4, 1)
    return f"word {n % 5} of {n % 3}" if kind == "text" else {"a": float(n % 7), "b": f"c{n % 3}"}
