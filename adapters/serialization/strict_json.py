"""JSON as in RFC 8259, but strict where a document would be ambiguous.

The hooks of the standard parser allow this: they keep the text of numbers, and see both of two equal keys. Documents
without such traps, as most are, are read by orjson in a tenth of the time.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from json import scanner
from typing import Any

import orjson

MAX_DEPTH = 32

MAX_VALUES = 30_000
"""How many values a document may hold. A bulk operation of a thousand entities, with each of their fields, has half."""

AT_ONCE = 15_000
"""How many values are parsed by the usual parser, which lets no other thread run before the end of an object."""

_INT_DIGITS = 18
_TOO_DEEP = f"nests deeper than {MAX_DEPTH}"
_TOO_MANY = f"holds more than {MAX_VALUES} values"

_TEXT = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # takes linear time, also where a text has no end
_UP_TO_1000_TEXTS = re.compile(r'[^"]*+(?:"(?:[^"\\]++|\\.)*+"[^"]*+){0,1000}', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_INFINITE = Decimal("Infinity")
_SPACED_COLON = re.compile(r'"\s+:')
_PLAIN = frozenset((str, int, bool, type(None)))


class NotJson(ValueError):
    """A text is not the JSON that it should be. The message completes the sentence "the text …"."""


def parse_object(text: str) -> dict[str, Any]:
    """Return the object that a text holds, with fractions as `Decimal`. Raises `NotJson`."""
    values = _values(text)
    if values > MAX_VALUES and _values_outside_texts(text) > MAX_VALUES:
        raise NotJson(_TOO_MANY)
    if (plain := _plain_object(text)) is not None:
        return plain
    try:
        document = (_DECODER if values <= AT_ONCE else _PATIENT).decode(text)
    except RecursionError:
        raise NotJson(_TOO_DEEP) from None
    except ValueError as error:
        raise NotJson(f"is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise NotJson("is not a JSON object")
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(document)
    if "\\u" in text and _SURROGATE.search(json.dumps(document, ensure_ascii=False, default=str)):
        raise NotJson("holds half of a surrogate pair")
    return document


def _plain_object(text: str) -> dict[str, Any] | None:
    """Return an object without fractions, equal keys and inner containers; None for any other text.

    Each key is followed by a colon. So where there are not more colons behind quotation marks than keys were read, no
    two keys are equal.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if type(document) is not dict or not _PLAIN.issuperset(map(type, document.values())):
        return None
    if text.count(":") == len(document):
        return document
    return document if text.count('":') == len(document) and not _SPACED_COLON.search(text) else None


def _values(text: str) -> int:
    """Count the values of a document that has no commas and brackets in its texts; one more is no matter."""
    return text.count(",") + text.count("{") + text.count("[")


def _values_outside_texts(text: str) -> int:
    """Count the values, or only the first of too many. Each step is short, so that other threads run between them."""
    count = start = 0
    while count <= MAX_VALUES and (part := _UP_TO_1000_TEXTS.match(text, start)):
        count += _values(_TEXT.sub("", part[0]))
        if part.end() == start:  # at the end, or before a text without an end
            break
        start = part.end()
    return count


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
    raise NotJson(_TOO_DEEP)


def _inside(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


class _PatientDecoder(json.JSONDecoder):
    """The same parser, as the standard library has it in Python: slower, but other threads run between two values."""

    def __init__(self) -> None:
        super().__init__(**_HOOKS | {"parse_float": _in_ascii(_fraction), "parse_int": _in_ascii(_whole)})
        self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]


def _in_ascii(number: Callable[[str], int | Decimal]) -> Callable[[str], int | Decimal]:
    """Refuse the digits of other scripts, which that parser takes for digits."""
    return lambda text: number(text) if text.isascii() else _constant(text)


_HOOKS: dict[str, Any] = {
    "object_pairs_hook": _object,
    "parse_float": _fraction,
    "parse_int": _whole,
    "parse_constant": _constant,
}
_DECODER, _PATIENT = json.JSONDecoder(**_HOOKS), _PatientDecoder()
