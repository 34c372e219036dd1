"""Compiled kernels that count a text's terms by bucket, without a string for each.

A term's bucket is the CRC-32 of its UTF-8, modulo the buckets of its sort: `1:` and a word, `2:` and two neighbouring
words with a space between, or a piece of a word with a space at either end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.compiling import Number, compiled

Words = NDArray[np.uint8]

_POLYNOMIAL = 0xEDB88320
_BYTE, _ALL, _EIGHT = np.uint32(0xFF), np.uint32(0xFFFFFFFF), np.uint32(8)
_ONE, _TWO, _COLON, _SPACE, _BREAK = (np.uint8(ord(sign)) for sign in "12: \n")


def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ (np.uint32(_POLYNOMIAL) * (table & np.uint32(1)))
    return table


_TABLE = _table()


@compiled
def counted_terms(
    words: Words, whole: int, pieces: int, shortest: int, longest: int, counts: NDArray[np.int64]
) -> None:
    """Add how often terms of each bucket come up.

    Args:
        words: UTF-8 of all words, each followed by a line's end.
        whole: buckets of words and pairs, the first ones.
        pieces: buckets of pieces, the last ones.
        shortest: characters of the shortest piece.
        longest: of the longest one.
        counts: by bucket, added to.
    """
    first, before, before_end, end = 0, 0, 0, 0
    offset = counts.size - pieces
    while first < words.size:
        end = first
        while words[end] != _BREAK:
            end += 1
        crc = _run(_begun(_ONE), words, first, end)
        counts[_finished(crc) % whole] += 1
        if before_end > before:
            crc = _step(_run(_begun(_TWO), words, before, before_end), _SPACE)
            counts[_finished(_run(crc, words, first, end)) % whole] += 1
        _count_pieces(words, first, end, pieces, offset, shortest, longest, counts)
        before, before_end, first = first, end, end + 1


@compiled
def _count_pieces(
    words: Words,
    first: int,
    end: int,
    pieces: int,
    offset: int,
    shortest: int,
    longest: int,
    counts: NDArray[np.int64],
) -> None:
    """Count the pieces of the word at first … end - 1; first - 1 stands for a space before it, `end` for one after."""
    start = first - 1
    while start <= end:
        crc, at, size = _ALL, start, 0
        while size < longest and at <= end:
            if at < first or at == end:
                crc, at = _step(crc, _SPACE), at + 1
            else:
                crc, at = _step(crc, words[at]), at + 1
                while at < end and words[at] & 0xC0 == 0x80:
                    crc, at = _step(crc, words[at]), at + 1
            size += 1
            if size >= shortest:
                counts[offset + _finished(crc) % pieces] += 1
        start += 1
        while first <= start < end and words[start] & 0xC0 == 0x80:
            start += 1


@compiled
def _begun(mark: Number) -> Number:
    return _step(_step(_ALL, mark), _COLON)


@compiled
def _step(crc: Number, byte: Number) -> Number:
    return _TABLE[(crc ^ np.uint32(byte)) & _BYTE] ^ (crc >> _EIGHT)


@compiled
def _run(crc: Number, words: Words, first: int, end: int) -> Number:
    for at in range(first, end):
        crc = _step(crc, words[at])
    return crc


@compiled
def _finished(crc: Number) -> Number:
    return np.int64(crc ^ _ALL)
