"""JSON as in RFC 8259, but strict where a document would be ambiguous.

The hooks of the standard parser allow this: they keep the text of numbers, and see both of two equal keys.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.http.responses.http_errors import MalformedJson

MAX_DEPTH = 32
_INT_DIGITS = 18

_SURROGATE = re.compile("[\ud800-\udfff]")
_INFINITE = Decimal("Infinity")


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the object that a body holds, with fractions as `Decimal`. Raises `MalformedJson`."""
    if not body:
        raise MalformedJson("the body is empty; a JSON object is expected")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedJson("the body is not UTF-8") from None
    try:
        document = _DECODER.decode(text)
    except RecursionError:
        raise MalformedJson(f"nesting is deeper than {MAX_DEPTH}") from None
    except ValueError as error:
        raise MalformedJson(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise MalformedJson("the body is not a JSON object")
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(document)
    if "\\u" in text and _SURROGATE.search(json.dumps(document, ensure_ascii=False, default=str)):
        raise MalformedJson("the body holds half of a surrogate pair")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"duplicate key {name!r}")
    return document


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= _INT_DIGITS else Decimal(text)


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent out of all bounds; no field type accepts an infinite number
        return _INFINITE


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _check_depth(document: Any) -> None:
    """Refuse deep nesting. Checks level by level."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [inner for each in level for inner in _inside(each) if isinstance(inner, (dict, list))]
        if not level:
            return
    raise MalformedJson(f"nesting is deeper than {MAX_DEPTH}")


def _inside(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_int=_whole, parse_constant=_constant
)
