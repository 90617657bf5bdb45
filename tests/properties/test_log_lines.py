"""No byte of a request begins a line of the log, or a sequence that moves a terminal's cursor."""

import asyncio
import json
import logging
import re

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.http.middleware.access_log import as_json, as_text
from adapters.memory.store import MemoryStore
from entrypoints.diagnostics import AsText
from tests.builders import SERIALIZER, Clock
from tests.http.service import serving
from tests.http.transport import scope_of

TRIES = [b"\n", b"\r\n2026 200", b"\x1b[31m", b"\x9b2J", b"\x07", b"\x00", b"%0A", b"\x7f"]
NASTY = st.binary(max_size=20) | st.sampled_from(TRIES)
PARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LINE = re.compile(r"[\x20-\x7e]+\n")


@given(path=NASTY, method=NASTY, client=NASTY, parent=NASTY | st.just(PARENT))
def test_lines_of_any_path(path: bytes, method: bytes, client: bytes, parent: bytes) -> None:
    """Whatever a server passes on as a path, a method, a client or a trace, its line is one line of printable ASCII."""
    line = (0.0, method.decode("latin-1"), path, 200, 0.0, "r", client.decode("latin-1"), "/", parent, None)

    assert LINE.fullmatch(as_text(line))
    assert LINE.fullmatch(as_json(line))
    assert 200 == json.loads(as_json(line))["status"]


@given(path=NASTY, name=NASTY, value=NASTY)
@example(path=b"", name=b"x-request-id", value=b"a\x1b[31m")
@example(path=b"/tasks", name=b"origin", value=b"\n2026 200 GET /")
@example(path=b"/tasks", name=b"host", value=b"a\nb")
def test_lines_of_any_request(path: bytes, name: bytes, value: bytes) -> None:
    """However a request tries, it has one line, and an answer with no byte of it in a header but a good id."""

    async def answered() -> list[str]:
        async with serving(MemoryStore(Clock(), SERIALIZER)) as client:
            client.service.access_log.flush()
            client.service.log.clear()
            headers = [(b"host", b"127.0.0.1:8000"), (name.lower() or b"x", value), (b"x-request-id", value)]
            scope = scope_of("http", b"/", headers, method="POST")
            scope["raw_path"], scope["path"] = b"/" + path, "/" + path.decode("utf-8", "replace")
            sent = []

            async def send(message: object) -> None:
                sent.append(message)

            async def receive() -> dict[str, object]:
                return {"type": "http.request", "body": b"{}", "more_body": False}

            await client.service.app(scope, receive, send)
            client.service.access_log.flush()
            return client.service.log

    lines = "".join(asyncio.run(answered()))
    assert LINE.fullmatch(lines), lines


@given(text=st.text(max_size=20) | st.sampled_from(["\nbackroom: all is well", "\x1b[31m", "\r", "\x85", "\u2028"]))
def test_lines_of_any_error(text: str) -> None:
    """Quoted parts of a request stay behind spaces, so nobody takes them for a line of the service."""
    error = (ValueError, ValueError(text), None)
    record = logging.LogRecord("backroom", logging.ERROR, "", 0, "failed: %s", (text,), error)

    first, *others = AsText().format(record).split("\n")

    assert first.startswith("backroom: failed: ")
    assert all(each.startswith("  ") for each in others)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", first + "".join(others))
