"""What a validation found wrong, in words that say what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from service.api.bodies import COLOUR_PATTERN, MOMENT_PATTERN
from service.core.inputs import kind_of
from service.core.specs import NAME_PATTERN, TEXT_PATTERN

_WANTED = MappingProxyType(
    {
        "model_type": "an object",
        "model_attributes_type": "an object",
        "dict_type": "an object",
        "list_type": "a list",
        "string_type": "a string",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "float_type": "a number",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "int_parsing_size": "a whole number of at most 18 digits",
        "union_tag_not_found": "an object with a 'kind': vector, image, text or tabular",
    }
)

_MATCHING = MappingProxyType(
    {
        NAME_PATTERN: "begin with a letter or digit, with at most 62 more of letters, digits, '_', '.' and '-'",
        TEXT_PATTERN: "not contain control characters, as line breaks and tabs are",
        COLOUR_PATTERN: "be a colour, as #1f77b4",
        MOMENT_PATTERN: "be 'now' or the number of a log entry",
    }
)


def said(error: Any, fields: Sequence[str] = ()) -> str:
    """Return one thing that is wrong, as pydantic tells it, in plain words; `fields` are those that a body may have."""
    kind, given = error["type"], error.get("input")
    if kind in _TOLD:
        return _TOLD[kind](error, fields)
    if kind == "int_type" and isinstance(given, float) and given.is_integer():
        return f"must be a whole number of at most 18 digits, without a point, got {given:g}"
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, got {_shown(given)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    plain = re.sub(r"^(input|string|list|dictionary|number|value) should ", "must ", message, flags=re.IGNORECASE)
    return plain[0].lower() + plain[1:]


def _missing(error: Any, _fields: Sequence[str]) -> str:
    return "must be an object, got nothing" if error["loc"] == ("body",) else "must be given"


def _unknown(error: Any, fields: Sequence[str]) -> str:
    known = f"; there are {', '.join(fields)}" if fields and _at_the_top(error["loc"]) else ""
    return f"there is no such field{known}"


_TOLD: Mapping[str, Callable[[Any, Sequence[str]], str]] = MappingProxyType(
    {
        "missing": _missing,
        "extra_forbidden": _unknown,
        "union_tag_invalid": lambda error, _: (
            f"kind must be one of {error['ctx']['expected_tags']}, got '{error['ctx']['tag']}'"
        ),
        "string_pattern_mismatch": lambda error, _: f"must {_MATCHING[error['ctx']['pattern']]}",
    }
)


def _at_the_top(location: tuple[Any, ...]) -> bool:
    return bool(len(location) - (location[0] == "body") == 1)


def _shown(given: Any) -> str:
    """Return a number itself, and of all else what it is: a text may be long."""
    return f"{given:g}" if isinstance(given, int | float) and not isinstance(given, bool) else kind_of(given)
