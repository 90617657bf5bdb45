"""Parameters as text: `name=value`, joined by `&`, as in the query of a URL. An unknown parameter is an error."""

from collections.abc import Collection
from urllib.parse import unquote_plus

from domain.errors import BadParameter
from domain.suggestions import MAX_COMPARED, suggestion
from domain.text import MAX_MARKS, forbidden_character, has_too_many_marks

MAX_PARAMETERS = 100

LISTS = ("sort", "types")
_OF_LINES = ("q",)  # a search text may hold line breaks


def parameters(text: str, known: Collection[str]) -> dict[str, str]:
    """Return the parameters by name. Raises `BadParameter` for an unknown name, or a repeated one that is no list."""
    try:
        pairs = _pairs(text)
    except UnicodeDecodeError:
        raise BadParameter("the query is not UTF-8") from None
    if len(pairs) > MAX_PARAMETERS:
        raise BadParameter(f"the query has more than {MAX_PARAMETERS} parameters")
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise BadParameter(_unknown(name, known))
        if name in found and not _is_list(name):
            raise BadParameter(f"parameter {name} is repeated")
        if forbidden_character(value, lines=name in _OF_LINES) is not None:
            raise BadParameter(f"parameter {name} holds a control character")
        if has_too_many_marks(value):
            raise BadParameter(f"parameter {name} holds more than {MAX_MARKS} marks one after the other")
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _pairs(text: str) -> list[tuple[str, str]]:
    """Return the names and values, decoded (WHATWG URL, application/x-www-form-urlencoded)."""
    parts = [part.partition("=") for part in text.split("&") if part]
    if "%" not in text and "+" not in text:
        return [(name, value) for name, _, value in parts]
    return [(unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")) for name, _, value in parts]


def _is_list(name: str) -> bool:
    """Tell whether a parameter takes a list. Then `a=1&a=2`, as many clients write it, means `a=1,2`."""
    return name in LISTS or name.endswith("[in]")


def _unknown(name: str, known: Collection[str]) -> str:
    plain = [each for each in known if "[" not in each]
    operators = f"; operators go behind a field, as in {plain[-1]}[in]" if len(plain) < len(known) else ""
    return f"unknown parameter {name[:MAX_COMPARED]!r} ({suggestion(name, known, plain)}{operators})"
