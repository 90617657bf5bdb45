"""A request as handlers see it. Nothing of it is parsed before a handler reads it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, TypeVar

from attrs import define, field
from starlette.types import Receive, Scope

from adapters.http.fairness.capacity import Capacity
from adapters.http.fairness.pending_bodies import PendingBody
from adapters.http.responses.caching import NEVER, VARY
from adapters.http.responses.responses import Header
from adapters.http.timing.stopwatch import Phase, Stopwatch, timed
from domain.access.access_key import OPEN, Grant
from domain.access.key_text import holds_secret
from domain.trace import TraceContext

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing (RFC 9110, 9.2.1), of those that this service has."""

IS_WHOLE: Final = "backroom.is_whole"
"""The scope key that tells that the whole request has arrived."""

NO_ROUTE: Final = "(other)"
"""The route of a path that does not exist, and of a request that was refused before its path was looked at."""

_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})

T = TypeVar("T")


@define(eq=False)
class Request:
    """One request, or the handshake of a socket.

    `headers` are by lower-case name. Repeated ones are joined with a comma (RFC 9110, 5.3), and cookies with a
    semicolon (RFC 9113, 8.2.3), because the value of a cookie may hold a comma.
    """

    method: str
    path: str
    query: bytes
    """The query as it was sent, without its question mark."""
    headers: dict[bytes, bytes] = field(repr=False)
    receive: Receive
    request_id: str
    is_whole: bool = False
    """Whether all of it has arrived, so that reading its body never waits."""
    capacity: Capacity = field(factory=Capacity)
    """The limits that all requests share."""
    root: str = ""
    """The prefix of our paths, if a server or a proxy puts us below one. It is not part of `path`."""
    scheme: str = "http"
    address: str = ""
    """The address of the client, as far as trusted proxies tell it."""
    reached_at: str = ""
    """Our own address that the client connected to, or the path of a socket; empty if the server does not say."""
    route: str = field(default=NO_ROUTE, init=False)
    """The template of its path, once that is found."""
    parameters: Mapping[str, str] = field(default=_NO_PARAMETERS, init=False)
    """The parameters of the path, by the names in its route."""
    grant: Grant = field(default=OPEN, init=False)
    """What the caller may do."""
    credential: bytes | None = field(default=None, init=False, repr=False)
    """The hash of the credential that the caller sent."""
    is_at_work: bool = field(default=False, init=False)
    """Whether it counts as worked on. It does not while it waits, nor once its response begins."""
    is_heavy: bool = field(default=False, init=False)
    """Whether it has a slot for heavy work."""
    body: PendingBody | None = field(default=None, init=False)
    """The part of its body that was read. It stays in memory until the request ends."""
    stopwatch: Stopwatch | None = field(default=None, init=False)
    """Where its time goes, if slow requests are told."""
    limit: tuple[Header, ...] = field(default=(), init=False)
    """The RateLimit headers of the response."""
    caching: bytes = field(default=NEVER, init=False)
    """Who may cache the response, unless it is an error."""
    vary: bytes = field(default=VARY, init=False)
    """The headers of the request that the response depends on, beside its Origin."""

    @property
    def base(self) -> str:
        """The absolute URL that our paths begin with, as the client wrote it."""
        return f"{self.scheme}://{self.header(b'host') or ''}{self.root}"

    def begin_work(self) -> None:
        """Count this request as worked on. Raises `Overloaded`."""
        self.capacity.at_work.enter(self.address)
        self.is_at_work = True

    async def begin_heavy_work(self) -> None:
        """Wait for a slot, because the body has more than `HEAVY_BYTES`."""
        with timed(Phase.TURN):
            await self.capacity.heavy_work.slots.take(self.address)
        self.is_heavy = True

    async def compute(self, work: Callable[[], T]) -> T:
        """Return what `work` returns. It runs in the thread for heavy work if this request has a slot there."""
        return await self.capacity.heavy_work.do(work) if self.is_heavy else work()

    def end_work(self) -> None:
        """Count it no longer: the response begins, or there will be none."""
        if self.is_heavy:
            self.is_heavy = False
            self.capacity.heavy_work.slots.give_back()
        if self.is_at_work:
            self.is_at_work = False
            self.capacity.at_work.give_back(self.address)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Do not count it while it waits. After the wait it counts again, and is never refused."""
        was_at_work = self.is_at_work
        self.end_work()
        try:
            yield
        finally:
            if was_at_work:
                self.capacity.at_work.take(self.address)
                self.is_at_work = True

    @property
    def trace(self) -> TraceContext | None:
        """The trace that the client is in, if it sent a valid one."""
        parent = self.header(b"traceparent")
        if parent is None:
            return None
        state = self.header(b"tracestate") or ""
        return TraceContext.parse(parent, "" if holds_secret(state) else state)

    def header(self, name: bytes) -> str | None:
        """Return a header, or None if it was not sent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


def joined(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return headers by name."""
    by_name = dict(headers)
    if len(by_name) != len(headers):
        by_name.clear()
        for name, value in headers:
            separator = b"; " if name == b"cookie" else b", "
            by_name[name] = by_name[name] + separator + value if name in by_name else value
    return by_name


def request_of(scope: Scope) -> Request:
    """Return the request of a scope. The request-context middleware put it there."""
    request: Request = scope["backroom.call"]
    return request
