"""JSON in: a body's value, and what in it is no good to anyone, with its place."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import orjson

from service.core.errors import Fault, MalformedError

_PLAIN = frozenset((int, float, str, bool, type(None)))
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS_OF_64_BITS = 20
_MOST_FAULTS = 20


class Read(NamedTuple):
    """A body's value, and whether nothing in it needs to be looked for: `faults_of` finds what does."""

    value: Any
    sound: bool


class _Twice(dict[str, Any]):
    """An object in which a field stands twice."""

    def __init__(self, fields: list[tuple[str, Any]]) -> None:
        super().__init__(fields)
        self.names = [name for name, count in Counter(name for name, _ in fields).items() if count > 1]


def read(body: bytes) -> Read:
    """Return the value of a JSON text, with numbers that are not finite, odd texts and fields that stand twice.

    Raises:
        MalformedError: where it is not JSON, saying in which line and column.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        found = _leniently(body, [])
        if next(faults_of(found), None) is None:  # it is too deep
            raise MalformedError(f"The body is not well-formed JSON: {error}") from None
        return Read(found, sound=False)
    nul = b"\\u0000" in body and _has_nul(value)
    # Each field has its colon: where there are no more colons than fields, none was dropped.
    if not nul and body.count(b":") == _fields(value):
        return Read(value, sound=True)
    twice: list[_Twice] = []
    found = _leniently(body, twice)
    return Read(found, sound=False) if nul or twice else Read(value, sound=True)


def faults_of(value: Any) -> Iterator[Fault]:
    """Find what no one can use: numbers that are not finite, odd texts and fields that stand twice, the first few."""
    return islice(_faults(value), _MOST_FAULTS)


def _leniently(body: bytes, twice: list[_Twice]) -> Any:
    """Return the value, whatever its numbers and texts, noting objects in which a field stands twice."""

    def whole(fields: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(fields)
        if len(found) == len(fields):
            return found
        twice.append(_Twice(fields))
        return twice[-1]

    try:
        return json.loads(body.decode(), object_pairs_hook=whole, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise MalformedError(f"The body is not UTF-8: byte {error.start} cannot be read") from None
    except json.JSONDecodeError as error:
        raise MalformedError(f"The body is not well-formed JSON: {error}") from None
    except RecursionError:
        raise MalformedError("The body is not well-formed JSON: it is nested too deep") from None


def _integer(digits: str) -> int | float:
    """Return a number as the fast reader does: a float where it is beyond 64 bits."""
    value = int(digits) if len(digits) <= _DIGITS_OF_64_BITS else None
    return value if value is not None and -(2**63) <= value < 2**64 else float(digits)


def _faults(value: Any) -> Iterator[Fault]:
    waiting = [iter([("", value)])]
    while waiting:
        place, part = next(waiting[-1], (None, None))
        if place is None:
            waiting.pop()
            continue
        yield from _faults_at(place, part)
        waiting.append(_inside(place, part))


def _inside(place: str, part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, list):
        yield from ((f"{place}/{n}", inner) for n, inner in enumerate(part))
    elif isinstance(part, dict):
        yield from ((_below(place, name), inner) for name, inner in part.items() if not _odd(name))


def _faults_at(place: str, part: Any) -> Iterator[Fault]:
    if isinstance(part, float) and not math.isfinite(part):
        said = "NaN" if math.isnan(part) else "Infinity, or a number beyond 1.8e308"
        yield Fault(place, f"must be a finite number, got {said}")
    elif isinstance(part, str) and _odd(part):
        yield Fault(place, f"must not contain {_odd(part)}")
    elif isinstance(part, dict):
        odd = next(filter(None, map(_odd, part)), "")
        if odd:
            yield Fault(place, f"the name of a field must not contain {odd}")
        for name in part.names if isinstance(part, _Twice) else ():
            if not _odd(name):
                yield Fault(_below(place, name), f"the field '{name}' stands twice in one object")


def _below(place: str, name: str) -> str:
    return f"{place}/{name.replace('~', '~0').replace('/', '~1')}"


def _odd(text: str) -> str:
    """Return what a text has that is in no text, or nothing."""
    if "\x00" in text:
        return "the NUL character"
    return "" if text.isascii() or not _SURROGATE.search(text) else "half of a surrogate pair"


def _fields(value: Any) -> int:
    """Return how many fields all objects have together."""
    count, waiting = 0, [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            count += len(part)
            waiting.extend(part.values())
        elif isinstance(part, list) and not _PLAIN.issuperset(map(type, part)):
            waiting.extend(part)
    return count


def _has_nul(value: Any) -> bool:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if "\x00" in part:
                return True
        elif isinstance(part, dict):
            waiting.extend(part)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return False
