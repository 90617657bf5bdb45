"""The part of a response that a Range header asks for (RFC 9110, 14)."""

import re

from adapters.http.requests.header_lists import members
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import RangeNotSatisfiable

_RANGES = re.compile(r"bytes=(.*)", re.IGNORECASE)
_RANGE = re.compile(r"([0-9]*)-([0-9]*)")
_MAX_DIGITS = 18


def requested_range(request: Request, size: int, etag: bytes) -> range | None:
    """Return the requested bytes, or None for all of them. Raises `RangeNotSatisfiable`.

    An invalid range is ignored, as RFC 9110 demands. Several ranges at once are ignored, as it allows.
    """
    header, condition = request.header(b"range"), request.header(b"if-range")
    if header is None or request.method != "GET" or (condition is not None and condition.encode("latin-1") != etag):
        return None
    found = _RANGES.fullmatch(header)
    ranges = members(found[1]) if found else []
    bounds = _RANGE.fullmatch(ranges[0]) if len(ranges) == 1 else None
    return None if bounds is None else _bounded(bounds[1][:_MAX_DIGITS], bounds[2][:_MAX_DIGITS], size)


def _bounded(first: str, last: str, size: int) -> range | None:
    if not first and not last:
        return None
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= stop:
        raise RangeNotSatisfiable(f"there are {size} bytes", headers=((b"content-range", b"bytes */%d" % size),))
    return range(start, stop)
