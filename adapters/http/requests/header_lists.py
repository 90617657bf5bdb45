"""Headers that hold lists, read as RFC 9110 has them: with quotes, parameters and weights, and without regard to case.

Empty members count for nothing (5.6.1.2). What is no list at all is the caller's business, who knows what is safer.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from attrs import frozen

_SPACE = " \t"
_QUOTED = r'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)'  # to the end where it is not closed, so that each character is read once
_MEMBER = re.compile(rf'(?:[^,"]|{_QUOTED})+', re.DOTALL)
_PART = re.compile(rf'(?:[^;"]|{_QUOTED})+', re.DOTALL)
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")


@frozen
class Member:
    """A member of a list: its name in lower case, and its parameters by theirs, without their quotes."""

    name: str
    parameters: dict[str, str]

    @property
    def weight(self) -> float:
        """Return its weight (12.4.2): 1 where it has none, and 0 where what it has is none."""
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
    """Return the values by their names in lower case; the first of a name counts."""
    found: dict[str, str] = {}
    for part in _PART.findall(text):
        name, _, value = part.partition("=")
        found.setdefault(name.strip(_SPACE).lower(), _unquoted(value.strip(_SPACE)))
    return found


def entity_tags(header: str) -> list[str] | None:
    """Return the entity tags of a list (8.8.3), weak ones as if they were strong, or None for what is no list."""
    if not _TAGS.fullmatch(header):
        return None
    return [each.removeprefix("W/") for each in re.findall(_TAG, header)]


@lru_cache(64)  # clients send few
def accepts_coding(header: str | None, coding: str) -> bool:
    """Tell whether Accept-Encoding takes a content coding (12.5.3), and likes it no less than none at all."""
    if header is None:
        return True
    weights = {each.name.removeprefix("x-"): each.weight for each in parsed(header)}
    return 0 < weights.get(coding, weights.get("*", 0.0)) >= weights.get("identity", 0.0)


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
