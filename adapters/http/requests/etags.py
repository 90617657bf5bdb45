"""Entity tags: the version of an entity in quotes (RFC 9110, 8.8.3).

What counts is the version inside. Proxies weaken a tag, and compression may add to it; it still means that version.
"""

import re

from adapters.http.responses.http_errors import BadHeader
from domain.commands import ANY_VERSION, Precondition
from domain.entity_type import MAX_ID

_TAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*')
_TAG = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*)"')
_VERSION = re.compile(r"([1-9][0-9]{0,18})(?:-[a-z]+)?")
NO_VERSION = 0


def etag_of(version: int) -> bytes:
    """Return the tag of a version."""
    return b'"%d"' % version


def precondition(header: str | None) -> Precondition:
    """Return what If-Match demands; a tag that is none of ours is no version at all. Raises `BadHeader`."""
    if header is None or header.strip() == "*":
        return ANY_VERSION
    if not _TAGS.fullmatch(header):
        raise BadHeader('If-Match must be a list of entity tags such as "7", or *')
    return Precondition(frozenset(_version(each) for each in _TAG.findall(header)))


def none_match(header: str, current: str) -> bool:
    """Tell whether If-None-Match leaves the answer as it is, rather than 304, given the inside of the current tag."""
    if header.strip() == "*":
        return False
    inside = {re.sub(r"-(gzip|br|zstd|deflate)$", "", each) for each in _TAG.findall(header)}
    return current not in inside


def _version(inside: str) -> int:
    found = _VERSION.fullmatch(inside)
    version = int(found.group(1)) if found else NO_VERSION
    return version if version <= MAX_ID else NO_VERSION
