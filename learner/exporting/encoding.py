"""From raw inputs to features in C, with the running numbers that the encoder had when it was exported."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from learner.encoders import Encoder, EncoderState, ImageEncoder, VectorEncoder
from learner.encoders.vector import MOST, thermometer_levels

_IMAGE = """
/* Write the features of a picture of ENGRAM_FEATURES bytes, row by row, the colours of a pixel side by side. */
static inline void engram_encode(const uint8_t *pixels, float *features)
{
    int d;
    for (d = 0; d < ENGRAM_FEATURES; d++)
        features[d] = (float)pixels[d] / 255.0f;
}
"""

_VECTOR = """
/* Write the features of a vector of ENGRAM_DIM finite numbers. */
static inline void engram_encode(const float *x, float *features)
{
    int d, l;
    for (d = 0; d < ENGRAM_DIM; d++) {
        double scaled = ((double)x[d] - engram_means[d]) / engram_deviations[d];
        if (scaled > ENGRAM_FURTHEST)
            scaled = ENGRAM_FURTHEST;
        if (scaled < -ENGRAM_FURTHEST)
            scaled = -ENGRAM_FURTHEST;
        features[d] = (float)scaled;
        for (l = 0; l < ENGRAM_LEVELS; l++)
            features[(1 + l) * ENGRAM_DIM + d] = scaled > engram_levels[l] ? 1.0f : -1.0f;
    }
}
"""


def c_encoding(encoder: Encoder, state: EncoderState) -> str:
    """Return `engram_encode` in C for the inputs of one encoder, nothing for texts and tables.

    Args:
        encoder: an image's or a vector's is written; a projection has no part in features.
        state: its running numbers.

    Example:
        >>> "uint8_t *pixels" in c_encoding(ImageEncoder(2, 2, 1), ())
        True
    """
    if isinstance(encoder, ImageEncoder):
        return _IMAGE
    if not isinstance(encoder, VectorEncoder):
        return ""
    count, mean, squares = (part.numpy() for part in state)
    variance = squares / max(float(count[0]), 1.0)
    deviation = np.sqrt(np.where(variance > 0.0, variance, 1.0))
    return (
        f"\n#define ENGRAM_DIM {encoder.dim}\n#define ENGRAM_LEVELS {encoder.levels}\n#define ENGRAM_FURTHEST {MOST}\n"
        + _doubles("engram_levels[ENGRAM_LEVELS]", thermometer_levels(encoder.levels).tolist())
        + _doubles("engram_means[ENGRAM_DIM]", mean.tolist())
        + _doubles("engram_deviations[ENGRAM_DIM]", deviation.tolist())
        + _VECTOR
    )


def _doubles(name: str, values: Iterable[float]) -> str:
    """Return an array of doubles that C reads to the bit."""
    return f"\nstatic const double {name} = {{\n" + ",\n".join(f"    {value:.17e}" for value in values) + "\n};\n"
