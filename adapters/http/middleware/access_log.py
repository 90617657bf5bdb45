"""The access log: one line for each request. Lines are written together, because a write for each costs too much."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from time import time

import orjson
from attrs import define, field
from starlette.types import Scope

from adapters.http.requests.request import Request
from adapters.http.timing.stopwatch import Phase, Stopwatch
from domain.access.key_text import begins_secret
from domain.trace import TraceContext

_UNPRINTABLE = re.compile(r"[^!-~]")
_OF_CALENDARS = re.compile(r"(?:/[0-9]{1,19})?")

SOCKET = "WEBSOCKET"  # in place of the method of a socket, whose handshake is a GET

FLUSH_S = 0.2
MAX_GATHERED = 1000

Phases = Mapping[Phase, float]
Line = tuple[float, str, bytes, int, float, str, str | None, str, bytes | None, Phases | None]
"""Time (seconds since 1970), method, path, status, duration (seconds), request id, address of the client, route, the
client's `traceparent`, and for a slow request where its time went (seconds).
"""

Count = Callable[[Iterable[tuple[str, str, int, float]]], object]
"""Counts requests by method, route (its template), status and duration (seconds)."""


def as_text(line: Line) -> str:
    """Return a line for people."""
    at, method, path, status, spent, request_id, _, _, parent, phases = line
    trace = "" if parent is None or (found := _trace(parent)) is None else f" {found.trace_id}"
    slow = "" if phases is None else _slow(phases)
    asked = f"{_printable(method)} {_printable(path.decode('latin-1'))}"
    return f"{_written(at)} {status} {asked} {spent * 1000:.2f}ms {request_id}{trace}{slow}\n"


def as_json(line: Line) -> str:
    """Return a line for programs."""
    at, method, path, status, spent, request_id, client, _, parent, phases = line
    document = {
        "at": _written(at),
        "status": status,
        "method": _printable(method),
        "path": _printable(path.decode("latin-1")),
        "duration_ms": round(spent * 1000, 2),
        "request_id": request_id,
        "client": client and _printable(client),
    }
    if parent is not None and (trace := _trace(parent)) is not None:
        document |= {"trace_id": trace.trace_id, "span_id": trace.parent_id}
    if phases is not None:
        document["slow"] = {f"{phase}_ms": round(seconds * 1000, 2) for phase, seconds in phases.items()}
    return orjson.dumps(document).decode() + "\n"


def _slow(phases: Phases) -> str:
    """Return the phases that took any time, the longest first."""
    longest = sorted(phases.items(), key=lambda each: -each[1])
    return " slow: " + ", ".join(f"{phase} {seconds * 1000:.2f}ms" for phase, seconds in longest if seconds)


def is_public(path: str) -> bool:
    """Tell whether a decoded path may be read by others: it has no secret, nor a part of one, in whatever case."""
    if "%" in path:
        return False  # who encodes twice could hide one
    path = path.lower()
    _, found, rest = path.partition("calendars")  # behind it a secret may lack its beginning
    return not begins_secret(path) and (not found or _OF_CALENDARS.fullmatch(rest) is not None)


def _trace(parent: bytes) -> TraceContext | None:
    return TraceContext.parse(parent.decode("latin-1"))


def _printable(text: str) -> str:
    """Return a text that cannot begin a new line or a terminal sequence."""
    return text if not _UNPRINTABLE.search(text) else _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _written(at: float) -> str:
    return f"{_second(int(at))}.{int(at % 1 * 1000):03d}Z"


@lru_cache(4)  # most lines are of the same second as the one before
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")[:-6]


def _counted(line: Line) -> tuple[str, str, int, float]:
    _, method, _, status, spent, _, _, route, _, _ = line
    return "GET" if method == SOCKET else method, route, status, spent


@define(eq=False)
class AccessLog:
    """Gathers lines and hands them to `output` in one piece, and to `count`. Lines leave out the query.

    The line of a request that took `slow` seconds or more, without waiting for changes, says where its time went.
    """

    output: Callable[[str], object]
    format: Callable[[Line], str] = as_text
    count: Count | None = None
    slow: float | None = None

    _gathered: list[Line] = field(factory=list, init=False)

    def write(self, scope: Scope, status: int, spent: float, request: Request) -> None:
        """Add the line of a request that took `spent` seconds."""
        if not self._gathered:
            asyncio.get_running_loop().call_later(FLUSH_S, self.flush)
        # The raw path is still percent-encoded, so that nobody can forge a line.
        path = scope["raw_path"] if is_public(scope["path"]) else b"/(secret)"
        method, client = scope.get("method", SOCKET), scope.get("client") or (None,)
        parent = request.headers.get(b"traceparent")
        phases = None if request.stopwatch is None else self._phases(request.stopwatch, spent)
        line = (time(), method, path, status, spent, request.request_id, client[0], request.route, parent, phases)
        self._gathered.append(line)
        if len(self._gathered) >= MAX_GATHERED:
            self.flush()

    def _phases(self, stopwatch: Stopwatch, spent: float) -> Phases | None:
        is_slow = self.slow is not None and stopwatch.working(spent) >= self.slow
        return stopwatch.phases(spent) if is_slow else None

    def flush(self) -> None:
        """Write the gathered lines, and count their requests."""
        gathered, self._gathered = self._gathered, []
        if gathered:
            if self.count is not None:
                self.count(map(_counted, gathered))
            self.output("".join(map(self.format, gathered)))
