"""The query of a URL, parsed once. An unknown parameter is an error."""

import re
from collections.abc import Collection
from urllib.parse import quote

from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import OutOfRange
from domain.entity_type import MAX_ID
from domain.errors import BadParameter, ParameterOutOfRange
from domain.parameters import parameters

ID_DIGITS = 19
"""How many digits an id may have in a request."""

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_WHOLE = re.compile(r"-?[0-9]+")


def parse(request: Request, known: Collection[str]) -> dict[str, str]:
    """Return the parameters by name. Raises `BadParameter` for an unknown name, or a repeated one that is no list."""
    if not request.query:
        return {}
    try:
        text = request.query.decode("ascii")
    except UnicodeDecodeError:
        raise BadParameter("the query is not UTF-8") from None
    return parameters(text, known)


def whole(given: dict[str, str], name: str, *, least: int, most: int, default: int) -> int:
    """Return an integer. Raises `BadParameter` for other text, `ParameterOutOfRange` for one outside the range."""
    text = given.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        raise BadParameter(f"{name} must be a whole number")
    if len(text) > 18 or not least <= int(text) <= most:
        raise ParameterOutOfRange(parameter=name, reason=f"must be from {least} to {most}")
    return int(text)


def following(request: Request, given: dict[str, str], cursor: str) -> str:
    """Return the relative URL of the next page: the same request, with another cursor."""
    # Encoded anew: a client may send bytes that no header can hold, or encode the name of the old cursor.
    kept = [f"{_encoded(name)}={_encoded(value)}&" for name, value in given.items() if name != "cursor"]
    return f"{request.root}{request.path}?{''.join(kept)}cursor={_encoded(cursor)}"


def _encoded(text: str) -> str:
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe=",:")


def identifier(request: Request) -> int:
    """Return the id in the path, and `MAX_ID` for a larger one: no entity has either. Raises `OutOfRange`."""
    text = request.parameters["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS and (id := int(text)) > 0):
        raise OutOfRange(f"id must be a positive whole number of at most {ID_DIGITS} digits", "id")
    return min(MAX_ID, id)
