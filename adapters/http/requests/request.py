"""A call as handlers see it: what was asked, and nothing of it parsed before somebody reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from attrs import define, field
from starlette.types import Receive, Scope

from adapters.http.fairness.capacity import Capacity
from adapters.http.fairness.pending_bodies import PendingBody
from adapters.http.responses.responses import Header
from domain.access.access_key import OPEN, Grant

IS_WHOLE: Final = "backroom.is_whole"
"""Where a scope tells that nothing is missing of a request."""


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
    is_whole: bool = False
    """Whether all of it has come, so that reading its body waits for nothing."""
    capacity: Capacity = field(factory=Capacity)
    """What all requests share."""
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
    is_at_work: bool = field(default=False, init=False)
    """Whether it counts as one that is worked on: not before its answer begins, and not while it waits."""
    body: PendingBody | None = field(default=None, init=False)
    """What was read of its body, which is in memory until the end."""
    limit: tuple[Header, ...] = field(default=(), init=False)
    """What the answer says of how often he may ask."""

    def begin_work(self) -> None:
        """Count among those that are worked on. Raises `Overloaded`."""
        self.capacity.at_work.enter(self.address)
        self.is_at_work = True

    def end_work(self) -> None:
        """Count no more: the answer begins, or there will be none."""
        if self.is_at_work:
            self.is_at_work = False
            self.capacity.at_work.give_back(self.address)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count no more for as long as something is waited for. What it goes on with then is refused nothing."""
        was_at_work = self.is_at_work
        self.end_work()
        try:
            yield
        finally:
            if was_at_work:
                self.capacity.at_work.take(self.address)
                self.is_at_work = True

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
