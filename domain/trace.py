"""The trace of a request (W3C Trace Context), which several services carry on so that their work can be seen as one."""

import re
from typing import Self

from domain.value_object import value_object

MAX_STATE = 512
"""The longest `tracestate` that is carried on, in characters; the specification asks for no more."""

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NEWEST_ALLOWED, _VERSION = "fe", "00"
_KEY = r"[a-z0-9][a-z0-9_*/@-]{0,255}"
_VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_MEMBER = re.compile(rf"({_KEY})={_VALUE}")
_MOST_MEMBERS = 32


@value_object
class TraceContext:
    """A trace, and the caller's place in it. `state` is the caller's `tracestate`, or empty."""

    trace_id: str  # 32 hexadecimal digits
    parent_id: str  # 16
    flags: str  # 2
    state: str = ""

    @classmethod
    def parse(cls, parent: str, state: str = "") -> Self | None:
        """Read `traceparent` and `tracestate` as a caller sent them.

        None for an invalid parent. An invalid state, or one over `MAX_STATE`, is left out.
        """
        found = _PARENT.fullmatch(parent)
        if found is None or found[1] > _NEWEST_ALLOWED or (found[1] == _VERSION and found[5] is not None):
            return None
        if not found[2].strip("0") or not found[3].strip("0"):
            return None
        return cls(found[2], found[3], found[4], state if _is_state(state) else "")

    @classmethod
    def stored(cls, text: str) -> Self:
        """Return the context of a text that `text` has written."""
        parent, _, state = text.partition(" ")
        return cls(parent[3:35], parent[36:52], parent[53:], state)

    @property
    def parent(self) -> str:
        """Return it as `traceparent`."""
        return f"{_VERSION}-{self.trace_id}-{self.parent_id}-{self.flags}"

    @property
    def text(self) -> str:
        """Return all of it in one text."""
        return f"{self.parent} {self.state}" if self.state else self.parent

    def headers(self, span: str) -> dict[str, str]:
        """Return the headers for a call that belongs to this trace; `span` is its own id, of 16 hexadecimal digits."""
        parent = {"traceparent": f"{_VERSION}-{self.trace_id}-{span}-{self.flags}"}
        return {**parent, "tracestate": self.state} if self.state else parent


def _is_state(state: str) -> bool:
    if len(state) > MAX_STATE:
        return False
    members = [each for part in state.split(",") if (each := part.strip(" \t"))]
    found = [_MEMBER.fullmatch(each) for each in members]
    keys = {each[1] for each in found if each is not None}
    return 0 < len(keys) == len(members) <= _MOST_MEMBERS
