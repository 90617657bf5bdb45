"""Headers that hold lists (RFC 9110): with quotes, parameters and weights. Upper and lower case are the same.

Empty members are skipped (5.6.1.2). A caller decides what to do with an invalid list, because it knows what is safe.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from attrs import frozen

_SPACE = " \t"
_QUOTED = r'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)'  # an unclosed quote reaches to the end, so that each character is read once
_MEMBER = re.compile(rf'(?:[^,"]|{_QUOTED})+', re.DOTALL)
_PART = re.compile(rf'(?:[^;"]|{_QUOTED})+', re.DOTALL)
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")


@frozen
class Member:
    """A member of a list: its name in lower case, and its parameters by lower-case name, without quotes."""

    name: str
    parameters: dict[str, str]

    @property
    def weight(self) -> float:
        """Return its weight (12.4.2): 1 if it has none, and 0 if it is invalid."""
        text = self.parameters.get("q", "1")
        return float(text) if _WEIGHT.fullmatch(text) else 0.0


def members(header: str) -> list[str]:
    """Return the members of a list as they were sent."""
    return [member for each in _MEMBER.findall(header) if (member := each.strip(_SPACE))]


def parsed(header: str) -> Iterator[Member]:
    """Yield the members of a list of names with parameters."""
    for each in members(header):
        name, _, rest = each.partition(";")
        yield Member(name.rstrip(_SPACE).lower(), parameters(rest))


def parameters(text: str) -> dict[str, str]:
    """Return the values by lower-case name. The first value of a name counts."""
    found: dict[str, str] = {}
    for part in _PART.findall(text):
        name, _, value = part.partition("=")
        found.setdefault(name.strip(_SPACE).lower(), _unquoted(value.strip(_SPACE)))
    return found


def entity_tags(header: str) -> list[str] | None:
    """Return the etags of a list (8.8.3), weak ones as if they were strong, or None for an invalid list."""
    if not _TAGS.fullmatch(header):
        return None
    return [each.removeprefix("W/") for each in re.findall(_TAG, header)]


@lru_cache(64)  # clients send few different ones
def accepts_coding(header: str | None, coding: str) -> bool:
    """Tell whether Accept-Encoding accepts a content coding (12.5.3), and prefers it at least as much as none."""
    if header is None:
        return True
    weights = {each.name.removeprefix("x-"): each.weight for each in parsed(header)}
    return 0 < weights.get(coding, weights.get("*", 0.0)) >= weights.get("identity", 0.0)


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
