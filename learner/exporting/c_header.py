"""A packed committee as one C99 header, for devices without an operating system.

The arithmetic is that of `integers`, statement for statement, so that the header finds the gates that Python finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from learner.exporting import integers
from learner.exporting.c_code import END, PREAMBLE, PREDICTION, STEPS_OF_A_MEMBER
from learner.exporting.integers import Bytes
from learner.exporting.packed import PackedCommittee

_PER_LINE = 24


def c_header(committee: PackedCommittee, encoding: str = "") -> Iterator[str]:
    """Yield the text of the header, part by part.

    It needs `stdint.h` and `math.h` only, allocates nothing and holds no state. `engram_logits` gives the logits of
    every member, `engram_predict` the mean probabilities and the most probable class.

    Args:
        committee: what is written.
        encoding: what `c_encoding` gives for the learner's encoder; without it the header begins at features.

    Example:
        >>> weights = (np.array([[[0b01], [0b10]]], np.uint8),)
        >>> committee = PackedCommittee(("a", "b"), (2, 2), weights, False, 1.0, 5)
        >>> [line for line in "".join(c_header(committee)).splitlines() if line.startswith("#define ENGRAM_F")]
        ['#define ENGRAM_FEATURES 2']
    """
    yield PREAMBLE
    yield _figures(committee)
    names = ",\n".join(f"    {_quoted(name)}" for name in committee.classes)
    yield f"\nstatic const char *const engram_classes[ENGRAM_CLASSES] = {{\n{names}\n}};\n"
    for index, layer in enumerate(committee.weights):
        yield from _weights(index, layer)
    yield STEPS_OF_A_MEMBER
    yield _member(committee)
    yield PREDICTION
    yield encoding
    yield END


def _figures(committee: PackedCommittee) -> str:
    constant = int(committee.inputs(np.zeros((1, committee.features), np.float32))[0, -1])
    wide = committee.sizes[0] * integers.MOST >= 2**31
    figures = {
        "MODEL_VERSION": str(committee.seq),
        "FEATURES": str(committee.features),
        "INPUTS": str(committee.sizes[0]),
        "CLASSES": str(len(committee.classes)),
        "MEMBERS": str(committee.members),
        "WIDEST": str(max(committee.sizes[1:])),
        "STEPS": f"{integers.STEPS}.0f",
        "MOST": f"{integers.MOST}.0f",
        "CONSTANT": str(constant if committee.constant_input else 0),
        "KEPT_BITS": str(integers.KEPT_BITS),
        "UNIT": _single(committee.unit),
        "SCALE": _single(committee.scale * committee.unit),
        "NORMED": str(int(committee.scale == 0.0)),
    }
    lines = "".join(f"#define ENGRAM_{name} {value}\n" for name, value in figures.items())
    return f"{lines}\ntypedef int{64 if wide else 32}_t engram_sum;\n"


def _weights(index: int, layer: Bytes) -> Iterator[str]:
    members, fan_out, size = layer.shape
    yield f"\nstatic const uint8_t engram_weights_{index}[{members}][{fan_out * size}] = {{\n"
    for member in layer.reshape(members, -1):
        numbers = [str(byte) for byte in member.tolist()]
        lines = (",".join(numbers[first : first + _PER_LINE]) for first in range(0, len(numbers), _PER_LINE))
        yield "{" + ",\n".join(lines) + "},\n"
    yield "};\n"


def _member(committee: PackedCommittee) -> str:
    lines = [f"    engram_sum_inputs(inputs, engram_weights_0[member], {committee.sizes[1]}, sums);\n"]
    for index, (fan_in, fan_out) in enumerate(pairwise(committee.sizes[1:]), 1):
        lines += [
            f"    engram_open_gates(sums, {fan_in}, gates);\n",
            f"    engram_sum_gates(gates, {(fan_in + 7) // 8}, engram_weights_{index}[member], {fan_out}, sums);\n",
        ]
    return (
        "\nstatic inline void engram_member(const int32_t *inputs, int member, float *logits)\n{\n"
        "    engram_sum sums[ENGRAM_WIDEST];\n"
        + ("    uint8_t gates[(ENGRAM_WIDEST + 7) / 8];\n" if len(lines) > 1 else "")
        + "".join(lines)
        + "    engram_finish(sums, logits);\n}\n"
    )


def _single(value: float) -> str:
    """Return a float32 as C reads it, to the bit."""
    return f"{np.float32(value):.9e}f"


def _quoted(name: str) -> str:
    """Return a C string of a name's UTF-8; whatever C might read otherwise stands in octal."""
    plain = [
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in name.encode("utf-8", "surrogatepass")
    ]
    return f'"{"".join(plain)}"'
