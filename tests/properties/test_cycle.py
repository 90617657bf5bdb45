"""Our cycle writes what uvicorn's writes, byte by byte."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, cast

from attrs import define, field
from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn._types import ASGISendEvent, HTTPScope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from adapters.http.server.cycle import Cycle

values = st.binary(max_size=5) | st.sampled_from([b"close", b"keep-alive", b"chunked", b"a\tb", b"a\r\nb: c"])
heads = st.dictionaries(st.sampled_from([b"etag", b"vary", b"connection", b"transfer-encoding"]), values, max_size=3)
bodies = st.lists(st.binary(max_size=3), min_size=1, max_size=3)
OPEN = [(b"date", b"now")]


@define(eq=False)
class Wire:
    """A transport that keeps what is written, and the effects of one cycle on it."""

    written: list[bytes] = field(factory=list)
    closed: bool = False
    ended: int = 0

    def write(self, data: bytes) -> None:
        """Keep what is written."""
        self.written.append(bytes(data))

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Keep what is written at once."""
        self.written.extend(pieces)

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def note_end(self) -> None:
        """Count a complete response."""
        self.ended += 1


def messages(status: int, head: dict[bytes, bytes], pieces: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return the messages of a response with its pieces."""
    start = {"type": "http.response.start", "status": status, "headers": list(head.items())}
    body = [{"type": "http.response.body", "body": each, "more_body": True} for each in pieces]
    del body[-1]["more_body"]
    return [start, *body]


async def effect(
    cls: type[RequestResponseCycle], method: str, keep_alive: bool, sent: Sequence[dict[str, Any]]
) -> tuple[object, ...]:
    """Return everything that a cycle does with these messages."""
    wire = Wire()
    transport = cast("asyncio.Transport", wire)
    logger = logging.getLogger("uvicorn.error")
    cycle = cls(
        scope=cast("HTTPScope", {"type": "http", "method": method}),
        transport=transport,
        flow=FlowControl(transport),
        logger=logger,
        access_logger=logger,
        access_log=False,
        default_headers=OPEN,
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=wire.note_end,
    )
    error = ""
    try:
        for message in sent:
            await cycle.send(cast("ASGISendEvent", dict(message)))
    except RuntimeError as refused:
        error = str(refused)
    is_told = cycle.message_event.is_set()
    return error, b"".join(wire.written), wire.closed, wire.ended, is_told, cycle.response_complete, cycle.keep_alive


@example(
    method="GET",
    keep_alive=True,
    status=200,
    head={b"etag": b'"1"'},
    pieces=[b"a"],
    announced=0,
    goes_on=True,
)
@given(
    method=st.sampled_from(["GET", "HEAD"]),
    keep_alive=st.booleans(),
    status=st.sampled_from([200, 204, 304]),
    head=heads,
    pieces=bodies,
    announced=st.none() | st.integers(-1, 1),
    goes_on=st.booleans(),
)
def test_cycle_writes_what_uvicorn_writes(
    *,
    method: str,
    keep_alive: bool,
    status: int,
    head: dict[bytes, bytes],
    pieces: list[bytes],
    announced: int | None,
    goes_on: bool,
) -> None:
    """Whatever an application sends, right or wrong, our cycle and uvicorn's write the same and end the same."""
    if announced is not None:
        head |= {b"content-length": b"%d" % max(0, len(b"".join(pieces)) + announced)}
    sent = messages(status, head, pieces)
    sent += sent[-1:] if goes_on else []  # one message too many

    async def both() -> list[tuple[object, ...]]:
        return [await effect(each, method, keep_alive, sent) for each in (RequestResponseCycle, Cycle)]

    uvicorns, ours = asyncio.run(both())
    assert uvicorns == ours
