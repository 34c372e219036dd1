"""Images of the data sets as the learner takes them, and as the papers do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from benchmarks.reporting import data_sets

DIGITS = "digits"
"""scikit-learn's 8 x 8 digits, which need no folder of data sets: 1,797 pictures, a quarter of them to test."""


class Images(NamedTuple):
    """Images [N, height, width, 1] of 0 … 255 and labels [N], to learn from and to test on."""

    x: NDArray[np.uint8]
    y: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]

    @property
    def source(self) -> dict[str, Any]:
        """What `learner.build` is told of these images."""
        return {"kind": "image", "width": self.x.shape[2], "height": self.x.shape[1], "channels": 1}

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' names, in the labels' order."""
        return tuple(map(str, range(int(self.y.max()) + 1)))

    def held_back(self, share: float) -> Images:
        """Return the training images alone, the last `share` of them to test on: choices are made there."""
        end = len(self.y) - round(share * len(self.y))
        return Images(self.x[:end], self.y[:end], self.x[end:], self.y[end:])

    def standardised(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return images and test images as rows [N, D], by the mean and deviation of all training pixels."""
        mean, deviation = float(self.x.mean()), float(self.x.std())
        rows = (self.x, self.x_test)
        first, second = (((part.reshape(len(part), -1) - mean) / deviation).astype(np.float32) for part in rows)
        return first, second


def images(name: str, train: int, test: int) -> Images:
    """Return the first `train` and `test` images of one data set."""
    if name == DIGITS:
        return _digits(train, test)
    with np.load(Path(data_sets()) / f"{name}.npz") as file:
        x, x_test = file["x_train"][:train, :, :, None], file["x_test"][:test, :, :, None]
        return Images(x, file["y_train"][:train].astype(np.int64), x_test, file["y_test"][:test].astype(np.int64))


def _digits(train: int, test: int) -> Images:
    digits = load_digits()
    x, y = (digits.images * (255.0 / 16.0)).astype(np.uint8)[..., None], digits.target.astype(np.int64)
    end = len(y) * 3 // 4
    return Images(x[:end][:train], y[:end][:train], x[end:][:test], y[end:][:test])
