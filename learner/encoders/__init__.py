"""From inputs to features: what the network sees of a vector, an image, a text or a table's row.

An encoder's state changes only in `learn`, with the sample whose label is learned; encoding is pure.
"""

from learner.encoders.image import ImageEncoder
from learner.encoders.protocol import AnyInput, Encoder, EncoderState, Input, Inputs, Record
from learner.encoders.tabular import TabularEncoder
from learner.encoders.text import TextEncoder
from learner.encoders.vector import VectorEncoder

__all__ = [
    "AnyInput",
    "Encoder",
    "EncoderState",
    "ImageEncoder",
    "Input",
    "Inputs",
    "Record",
    "TabularEncoder",
    "TextEncoder",
    "VectorEncoder",
]
