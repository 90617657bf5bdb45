"""One line for each request, gathered for a moment and written together, because a write for each costs too much."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import orjson
from attrs import define, field, frozen
from starlette.types import Scope

FLUSH_S = 0.2
MAX_GATHERED = 1000


@frozen
class Line:
    """What is told of one request; `path` is still percent-encoded, so that nobody can write lines of their own."""

    at: datetime
    method: str
    path: str
    status: int
    spent_ms: float
    request_id: str


def as_text(line: Line) -> str:
    """Return a line for people."""
    at = line.at.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"{at}Z {line.status} {line.method} {line.path} {line.spent_ms:.2f}ms {line.request_id}\n"


def as_json(line: Line) -> str:
    """Return a line for programs."""
    document = {
        "at": line.at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z",
        "status": line.status,
        "method": line.method,
        "path": line.path,
        "duration_ms": round(line.spent_ms, 2),
        "request_id": line.request_id,
    }
    return orjson.dumps(document).decode() + "\n"


@define(eq=False)
class AccessLog:
    """Gathers lines and hands them to `output` in one piece. Queries stay out of it."""

    output: Callable[[str], object]
    format: Callable[[Line], str] = as_text

    _gathered: list[Line] = field(factory=list, init=False)

    def write(self, scope: Scope, status: int, spent_s: float, request_id: bytes) -> None:
        """Add the line of a request."""
        if not self._gathered:
            asyncio.get_running_loop().call_later(FLUSH_S, self.flush)
        method = scope.get("method", "WEBSOCKET")
        path = scope["raw_path"].decode("ascii", "backslashreplace")
        line = Line(datetime.now(UTC), method, path, status, spent_s * 1000, request_id.decode())
        self._gathered.append(line)
        if len(self._gathered) >= MAX_GATHERED:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        gathered, self._gathered = self._gathered, []
        if gathered:
            self.output("".join(self.format(line) for line in gathered))
