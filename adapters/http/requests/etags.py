"""Entity tags: the version of an entity in quotes (RFC 9110, 8.8.3).

Only the version inside counts. A proxy may weaken an etag, and a compressed response has its own etag. For a write,
each of them still means that version.
"""

import re
from collections.abc import Iterator

from adapters.http.requests.header_lists import accepts_coding, entity_tags
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import BadHeader
from domain.commands import ANY_VERSION, Precondition
from domain.entity_type import MAX_ID

_VERSION = re.compile(r'"([1-9][0-9]{0,18})(?:\.[0-9a-f]+)?(?:-[a-z]+)?"')
_CODED = re.compile(r"(.*?)(?:-(gzip|br|zstd|deflate))?", re.DOTALL)
_SHOWN = 100  # characters of an etag that an error repeats


def etag_of(version: int) -> bytes:
    """Return the etag of a version."""
    return b'"%d"' % version


def precondition(header: str | None) -> Precondition:
    """Return what If-Match demands. Raises `BadHeader`."""
    if header is None or header.strip() == "*":
        return ANY_VERSION
    tags = entity_tags(header)
    if tags is None:
        raise BadHeader('If-Match must be a list of entity tags such as "7", or *')
    versions = {each: _version(each) for each in tags}
    unknown = tuple(tag[:_SHOWN] for tag, version in versions.items() if version is None)
    return Precondition(frozenset(version for version in versions.values() if version is not None), unknown)


def known_tags(request: Request) -> Iterator[tuple[str, str]]:
    """Yield the etags in If-None-Match, each with its text without a content coding. An invalid list names none.

    The etag of a compressed response counts only for a client that accepts the coding, since a cache may share it.
    """
    header = request.header(b"if-none-match")
    for tag in () if header is None else ["*"] if header.strip() == "*" else entity_tags(header) or ():
        inside, coding = _CODED.fullmatch(tag.strip('"')).groups()  # type: ignore[union-attr]  # it matches all
        if coding is None or accepts_coding(request.header(b"accept-encoding"), coding):
            yield tag, inside


def known_tag(request: Request, current: bytes) -> bytes | None:
    """Return the etag in If-None-Match under which the client already has this response, or None."""
    if b"if-none-match" not in request.headers:
        return None
    weak, shown = current.startswith(b"W/"), current.decode().removeprefix("W/")[1:-1]
    for tag, inside in known_tags(request):
        if tag == "*" or inside == shown:
            return current if weak or tag == "*" else tag.encode("latin-1")
    return None


def _version(tag: str) -> int | None:
    """Return the version that an etag names, or None if no version can have that name."""
    found = _VERSION.fullmatch(tag)
    version = int(found[1]) if found else 0
    return version if 0 < version <= MAX_ID else None
