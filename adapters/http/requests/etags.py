"""Entity tags: the version of an entity in quotes (RFC 9110, 8.8.3).

What counts is the version inside. Proxies weaken a tag, and a compressed answer has one of its own; for a write it
still means that version.
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
_SHOWN = 100  # characters of a tag that is repeated to whoever sent it


def etag_of(version: int) -> bytes:
    """Return the tag of a version."""
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
    """Yield the tags in If-None-Match, each with its inside as it is without a coding; what is no list names none.

    The tag of a compressed answer serves only whoever takes that: a cache between may hold it for somebody else.
    """
    header = request.header(b"if-none-match")
    for tag in () if header is None else ["*"] if header.strip() == "*" else entity_tags(header) or ():
        inside, coding = _CODED.fullmatch(tag.strip('"')).groups()  # type: ignore[union-attr]  # it matches all
        if coding is None or accepts_coding(request.header(b"accept-encoding"), coding):
            yield tag, inside


def known_tag(request: Request, current: bytes) -> bytes | None:
    """Return the tag under which the client has the answer already, as it says in If-None-Match, or None."""
    weak, shown = current.startswith(b"W/"), current.decode().removeprefix("W/")[1:-1]
    for tag, inside in known_tags(request):
        if tag == "*" or inside == shown:
            return current if weak or tag == "*" else tag.encode("latin-1")
    return None


def _version(tag: str) -> int | None:
    """Return the version that a tag names, or None where it names none that there can be."""
    found = _VERSION.fullmatch(tag)
    version = int(found[1]) if found else 0
    return version if 0 < version <= MAX_ID else None
