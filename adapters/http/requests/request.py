"""A call as handlers see it: what was asked, and nothing of it parsed before somebody reads it."""

from attrs import define, field
from starlette.types import Receive, Scope

from adapters.http.fairness.turns import Turns
from adapters.http.responses.responses import Header
from domain.access.access_key import OPEN, Grant


@define(eq=False)
class Request:
    """One request, or the handshake of a socket.

    `headers` are by lower-case name; repeated ones are joined with a comma (RFC 9110, 5.3).
    """

    method: str
    path: str
    query: bytes
    """As it was sent, without its question mark."""
    headers: dict[bytes, bytes] = field(repr=False)
    receive: Receive
    request_id: str
    turns: Turns = field(factory=Turns)
    """What takes more than a few milliseconds asks for its turn before each piece."""
    root: str = ""
    """The prefix of our paths, where a server or a proxy serves us below one; it is no part of `path`."""
    parameters: dict[str, str] = field(factory=dict, init=False)
    """The parts of the path, by the names that its route gives them."""
    scheme: str = field(default="http", init=False)
    address: str = field(default="", init=False)
    """Where it comes from, as far as proxies that are trusted tell."""
    reached_at: str = field(default="", init=False)
    """The address of ours to which it came, or the path of a socket; empty where the server does not say."""
    grant: Grant = field(default=OPEN, init=False)
    """What the caller may do."""
    credential: bytes | None = field(default=None, init=False, repr=False)
    """The hash of what he showed for that."""
    limit: tuple[Header, ...] = field(default=(), init=False)
    """What the answer says of how often he may ask."""

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


def request_of(scope: Scope) -> Request:
    """Return the call of a scope, which the edge put there."""
    request: Request = scope["backroom.call"]
    return request
