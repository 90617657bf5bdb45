"""A call as handlers see it: what was asked, and nothing of it parsed before somebody reads it."""

from typing import Any

from attrs import define, field
from starlette.types import Receive, Scope


@define(eq=False)
class Call:
    """One request. `headers` are by lower-case name; repeated ones are joined with a comma (RFC 9110, 5.3)."""

    scope: Scope
    receive: Receive
    request_id: str
    headers: dict[bytes, bytes] = field(repr=False)

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def path(self) -> str:
        path: str = self.scope["path"]
        return path

    @property
    def query(self) -> bytes:
        """Return the query as it was sent, without its question mark."""
        query: bytes = self.scope["query_string"]
        return query

    def parameter(self, name: str) -> str:
        """Return the part of the path that the route calls `name`."""
        value: str = self.scope["path_params"][name]
        return value

    def header(self, name: bytes) -> str | None:
        """Return a header, or None where it was not sent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


def joined(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return headers by name."""
    by_name = dict(headers)
    if len(by_name) != len(headers):
        by_name.clear()
        for name, value in headers:
            by_name[name] = by_name[name] + b", " + value if name in by_name else value
    return by_name


def call_of(scope: Scope) -> Any:
    """Return the call of a scope, which the edge put there."""
    return scope["backroom.call"]
