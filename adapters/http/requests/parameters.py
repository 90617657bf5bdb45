"""The query of a URL, parsed once. An unknown parameter is an error."""

import re
from collections.abc import Collection
from urllib.parse import quote, unquote_plus

from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import BadParameter, Missing, OutOfRange
from domain.entity_type import MAX_ID
from domain.suggestions import MAX_COMPARED, suggestion
from domain.text import forbidden_character

MAX_PARAMETERS = 100

LISTS = ("sort", "types")
_OF_LINES = ("q",)  # a search text may hold line breaks

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_WHOLE = re.compile(r"-?[0-9]+")
_BOOLEANS = {"true": True, "false": False}


def parse(request: Request, known: Collection[str]) -> dict[str, str]:
    """Return the parameters by name. Raises `BadParameter` for an unknown name, or a repeated one that is no list."""
    if not request.query:
        return {}
    try:
        pairs = _pairs(request.query.decode("ascii"))
    except UnicodeDecodeError:
        raise BadParameter("the query is not UTF-8") from None
    if len(pairs) > MAX_PARAMETERS:
        raise BadParameter(f"the query has more than {MAX_PARAMETERS} parameters")
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise BadParameter(_unknown(name, known))
        if name in parameters and not _is_list(name):
            raise BadParameter(f"parameter {name} is repeated")
        if forbidden_character(value, lines=name in _OF_LINES) is not None:
            raise BadParameter(f"parameter {name} holds a control character")
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _is_list(name: str) -> bool:
    """Tell whether a parameter takes a list. Then `a=1&a=2`, as many clients write it, means `a=1,2`."""
    return name in LISTS or name.endswith("[in]")


def _unknown(name: str, known: Collection[str]) -> str:
    plain = [each for each in known if "[" not in each]
    operators = f"; operators go behind a field, as in {plain[-1]}[in]" if len(plain) < len(known) else ""
    return f"unknown parameter {name[:MAX_COMPARED]!r} ({suggestion(name, known, plain)}{operators})"


def whole(parameters: dict[str, str], name: str, *, least: int, most: int, default: int) -> int:
    """Return an integer. Raises `BadParameter` for other text, `OutOfRange` for an integer outside the range."""
    text = parameters.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        raise BadParameter(f"{name} must be a whole number")
    if len(text) > 18 or not least <= int(text) <= most:
        raise OutOfRange(f"{name} must be from {least} to {most}", "query", name)
    return int(text)


def boolean(name: str, text: str) -> bool:
    """Return a boolean. Raises `BadParameter` for any other text."""
    if text not in _BOOLEANS:
        raise BadParameter(f"{name} must be true or false")
    return _BOOLEANS[text]


def following(request: Request, parameters: dict[str, str], cursor: str) -> str:
    """Return the relative URL of the next page: the same request, with another cursor."""
    # Encoded anew: a client may send bytes that no header can hold, or encode the name of the old cursor.
    kept = [f"{_encoded(name)}={_encoded(value)}&" for name, value in parameters.items() if name != "cursor"]
    return f"{request.root}{request.path}?{''.join(kept)}cursor={_encoded(cursor)}"


def _pairs(query: str) -> list[tuple[str, str]]:
    """Return the names and values, decoded (WHATWG URL, application/x-www-form-urlencoded)."""
    parts = [part.partition("=") for part in query.split("&") if part]
    if "%" not in query and "+" not in query:
        return [(name, value) for name, _, value in parts]
    return [(unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")) for name, _, value in parts]


def _encoded(text: str) -> str:
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe=",:")


def identifier(request: Request) -> int:
    """Return the id in the path, a positive integer of at most 19 digits. Raises `OutOfRange` and `Missing`."""
    text = request.parameters["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) > 0):
        raise OutOfRange("id must be a positive whole number of at most 19 digits", "path", "id")
    if int(text) > MAX_ID:
        raise Missing("no id is as large as that")
    return int(text)
