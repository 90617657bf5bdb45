"""What the client would like to get (RFC 9110, 12.5.1)."""

import re

from adapters.http.requests.request import Request

_QVALUE = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


def quality(request: Request, media_type: str) -> float:
    """Return how much the client wants a media type, from 0 for not at all to 1; without Accept anything is welcome."""
    accept = request.header(b"accept")
    if not accept or accept in ("*/*", media_type):  # an empty one rules out nothing
        return 1.0
    best, closest = 0.0, -1
    for each in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in each.split(";"))
        closeness = _closeness(media_range, media_type)
        if closeness > closest:
            best, closest = _weight(parameters), closeness
    return best


def _closeness(media_range: str, media_type: str) -> int:
    """Return how precisely a range names the type, or -1 where it does not; the most precise range counts."""
    main = media_type.split("/", maxsplit=1)[0]
    return {"*/*": 0, f"{main}/*": 1, media_type: 2}.get(media_range, -1)


def _weight(parameters: list[str]) -> float:
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            return float(value) if _QVALUE.fullmatch(value.strip()) else 0.0
    return 1.0
