"""Images of the data sets as the learner takes them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.reporting import data_sets


class Images(NamedTuple):
    """Images [N, height, width, 1] of 0 … 255 and labels [N], to learn from and to test on."""

    x: NDArray[np.uint8]
    y: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]


def images(name: str, train: int, test: int) -> Images:
    """Return the first `train` and `test` images of one data set."""
    with np.load(Path(data_sets()) / f"{name}.npz") as file:
        x, x_test = file["x_train"][:train, :, :, None], file["x_test"][:test, :, :, None]
        return Images(x, file["y_train"][:train].astype(np.int64), x_test, file["y_test"][:test].astype(np.int64))
