"""Content negotiation: which media type the client prefers (RFC 9110, 12.5.1)."""

from collections.abc import Sequence

from adapters.http.requests.header_lists import parsed
from adapters.http.requests.request import Request


def quality(request: Request, media_type: str) -> float:
    """Return how much the client wants a media type, from 0 (not at all) to 1. Without Accept, every type has 1."""
    accept = request.header(b"accept")
    if not accept or accept in ("*/*", media_type):  # an empty header rules out nothing
        return 1.0
    best, closest = 0.0, -1
    for each in parsed(accept):
        closeness = _closeness(each.name, media_type)
        if closeness > closest:
            best, closest = each.weight, closeness
    return best


def preferred(request: Request, media_types: Sequence[str]) -> str:
    """Return the media type that the client wants most, or the first of several that it wants equally."""
    if b"accept" not in request.headers:
        return media_types[0]
    return max(media_types, key=lambda media_type: quality(request, media_type))


def _closeness(media_range: str, media_type: str) -> int:
    """Return how precisely a range names the type, or -1 if it does not. The most precise range counts."""
    main = media_type.split("/", maxsplit=1)[0]
    return {"*/*": 0, f"{main}/*": 1, media_type: 2}.get(media_range, -1)
