"""Whether probabilities mean what they say.

A prediction is calibrated where, of all that is said with confidence p, a share p is right. Confidence is the largest
probability. Everything here is measured on predictions made before their label was learned.

Shapes: N predictions, C classes, B bins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float64]


class Reliability(NamedTuple):
    """A reliability table: one row for each bin that holds a prediction, from unsure to sure.

    Attributes:
        predictions: how many are in the bin, int64.
        confidence: their mean confidence, in 0 … 1.
        accuracy: the share of them that is right, in 0 … 1.
    """

    predictions: NDArray[np.int64]
    confidence: Reals
    accuracy: Reals


def reliability(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15, equal_mass: bool = False) -> Reliability:
    """Return how often predictions are right, by how sure they are.

    Args:
        confidence: [N], 0 … 1.
        correct: whether each prediction is right [N], bool or 0 and 1.
        bins: B, >= 1.
        equal_mass: bins of as many predictions each, in the order of confidence; otherwise bins ((b-1)/B, b/B] of
            equal width, and 0 in the first.

    Raises:
        ValueError: where an argument is out of its range or the lengths differ.

    Source:
        Niculescu-Mizil, Caruana, *Predicting good probabilities with supervised learning*, 2005; Guo et al.,
        arXiv 1706.04599, section 2.

    Example:
        >>> table = reliability([0.95, 0.91, 0.55, 0.52], [1, 1, 0, 1], bins=10)
        >>> table.predictions.tolist(), table.confidence.round(3).tolist(), table.accuracy.tolist()
        ([2, 2], [0.535, 0.93], [0.5, 1.0])
    """
    sure, right = _checked(confidence, correct, bins)
    if equal_mass:
        order = np.argsort(sure, kind="stable")
        index = np.empty(len(sure), np.int64)
        index[order] = np.arange(len(sure)) * bins // max(1, len(sure))
    else:
        index = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    there = count > 0
    sums = (np.bincount(index, weights=part, minlength=bins)[there] / count[there] for part in (sure, right))
    return Reliability(count[there], *sums)


def expected_calibration_error(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15, equal_mass: bool = False
) -> float:
    """Return the mean distance of accuracy from confidence over the bins of `reliability`, 0 (calibrated) … 1.

    ECE = sum_b n_b/N |accuracy_b - confidence_b|.

    It depends on the bins, and grows with fewer predictions in each: compare only at equal N and B.

    Args:
        confidence: [N], 0 … 1, N >= 1.
        correct: whether each prediction is right [N], bool or 0 and 1.
        bins: B, >= 1.
        equal_mass: bins of as many predictions each, not of equal width.

    Raises:
        ValueError: where an argument is out of its range, the lengths differ or there is no prediction.

    Source:
        Naeini et al., *Obtaining well calibrated probabilities using Bayesian binning*, 2015, equal mass; Guo et al.,
        arXiv 1706.04599, equation 5, equal width.

    Example:
        >>> round(expected_calibration_error([0.9, 0.9, 0.6, 0.6], [1, 1, 1, 0]), 6)
        0.1
    """
    table = reliability(confidence, correct, bins=bins, equal_mass=equal_mass)
    if not table.predictions.sum():
        raise ValueError("confidence must hold at least one prediction")
    return float((table.predictions * np.abs(table.accuracy - table.confidence)).sum() / table.predictions.sum())


def brier_score(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean squared distance of probabilities from the truth, 0 (sure and right) … 2 (sure and wrong).

    Brier = 1/N sum_n sum_c (p_nc - [c = y_n])^2.

    Args:
        probabilities: [N, C], rows that sum to 1, N >= 1.
        labels: y, class indices [N], 0 … C - 1.

    Raises:
        ValueError: where the shapes do not fit, a label is out of its range or there is no prediction.

    Source:
        Brier, *Verification of forecasts expressed in terms of probability*, 1950, equation 2.

    Example:
        >>> round(brier_score([[0.8, 0.2], [0.5, 0.5]], [0, 1]), 6)
        0.29
    """
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels)
    if p.ndim != 2 or y.shape != p.shape[:1] or not len(y):
        raise ValueError(f"probabilities and labels must be [N >= 1, C] and [N], got {p.shape} and {y.shape}")
    if y.min() < 0 or y.max() >= p.shape[1]:
        raise ValueError(f"labels must be in 0 … {p.shape[1] - 1}, got {y.min()} … {y.max()}")
    return float(((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1).mean())


def _checked(confidence: ArrayLike, correct: ArrayLike, bins: int) -> tuple[Reals, Reals]:
    sure, right = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    if bins < 1:
        raise ValueError(f"bins must be >= 1, got {bins}")
    if sure.ndim != 1 or sure.shape != right.shape:
        raise ValueError(f"confidence and correct must both be [N], got {sure.shape} and {right.shape}")
    if not bool(((sure >= 0.0) & (sure <= 1.0 + 1e-9)).all()):
        raise ValueError("confidence must be in 0 … 1")
    return sure, right
