"""The access log: one line for each request, which nobody can forge, and which holds no secret."""

import json
import re
from unittest.mock import AsyncMock

import pytest

from adapters.http.middleware.access_log import MAX_GATHERED, AccessLog, Line, as_json, as_text
from adapters.http.requests.request import Request
from adapters.http.timing.stopwatch import Phase, Stopwatch
from domain.access.key_text import make_key
from domain.ports import Store
from domain.trace import TraceContext
from tests.builders import TRACE
from tests.http.service import Client, serving
from tests.http.steps import JSON, MINIMAL, made
from tests.http.transport import connected

pytestmark = pytest.mark.anyio

SECRET = make_key(lambda characters: characters[0])
LINE: Line = (1_770_000_000.1239, "GET", b"/tasks/%0A", 200, 0.00042, "r-1", "192.0.2.1", "/tasks", None, None)


def lines(client: Client) -> list[str]:
    """Return what is in the log."""
    client.service.access_log.flush()
    return "".join(client.service.log).splitlines()


def test_line_for_people() -> None:
    """A line has the time, the status, the method, the path, the duration, and the id."""
    assert "2026-02-02T02:40:00.123Z 200 GET /tasks/%0A 0.42ms r-1\n" == as_text(LINE)


def test_line_for_programs() -> None:
    """A line can be JSON: one document with the same members."""
    expected = {"status": 200, "method": "GET", "path": "/tasks/%0A", "duration_ms": 0.42, "request_id": "r-1"}
    expected |= {"client": "192.0.2.1"}
    assert {"at": "2026-02-02T02:40:00.123Z", **expected} == json.loads(as_json(LINE))
    assert 1 == as_json(LINE).count("\n")


def test_a_line_names_its_trace() -> None:
    """The trace of the client is in the line, if it sent a valid one."""
    line: Line = (*LINE[:8], f"00-{TRACE.trace_id}-{TRACE.parent_id}-01".encode(), None)
    assert as_text(LINE)[:-1] + f" {TRACE.trace_id}\n" == as_text(line)
    expected = {"trace_id": TRACE.trace_id, "span_id": TRACE.parent_id}
    assert {**json.loads(as_json(LINE)), **expected} == json.loads(as_json(line))
    invalid: Line = (*LINE[:8], b"00-nonsense", None)
    assert (as_text(LINE), as_json(LINE)) == (as_text(invalid), as_json(invalid))


def test_a_line_of_a_slow_request() -> None:
    """It says where the time went: for people the longest first, for programs every phase."""
    phases = Stopwatch({Phase.STORE: 0.25, Phase.QUEUE: 0.15}).phases(0.3)
    line: Line = (*LINE[:9], phases)
    assert as_text(LINE)[:-1] + " slow: queue 150.00ms, store 100.00ms, other 50.00ms\n" == as_text(line)
    slow = json.loads(as_json(line))["slow"]
    assert {f"{phase}_ms" for phase in Phase} == set(slow)
    assert {"queue_ms": 150.0, "store_ms": 100.0, "other_ms": 50.0} == {name: ms for name, ms in slow.items() if ms}


async def test_a_trace_is_carried_on(client: Client, store: Store) -> None:
    """The trace of a request is in its line and in its change; a secret in its state is in neither."""
    lines(client)
    client.service.log.clear()
    client.service.access_log.format = as_json
    sent = {"traceparent": TRACE.parent, "tracestate": TRACE.state}
    await client.post("/tasks", json={"title": "x"}, headers=sent)
    await client.post("/tasks", json={"title": "x"}, headers={**sent, "tracestate": f"a={SECRET}"})
    await client.post("/tasks", json={"title": "x"}, headers={"traceparent": f"{TRACE.parent}, {TRACE.parent}"})
    await client.post("/tasks", json={"title": "x"}, headers={"tracestate": TRACE.state})
    traces = [each.change.trace for each in (await store.read(None)).entries]
    assert [TRACE, TraceContext(TRACE.trace_id, TRACE.parent_id, "01"), None, None] == traces
    told = [json.loads(each) for each in lines(client)]
    assert [TRACE.trace_id] * 2 + [None] * 2 == [each.get("trace_id") for each in told if each["status"] == 201]
    assert SECRET not in "".join(client.service.log)


async def test_one_line_for_each(client: Client) -> None:
    """Every request is logged once, however it ends, without its query, headers and body."""
    lines(client)
    client.service.log.clear()
    secret = {"Authorization": "Bearer s3cret", "X-Request-ID": "r"}
    await client.post("/tasks", json={"title": "s3cret"}, headers=secret)
    await client.get("/tasks?q=s3cret", headers=secret)
    await client.get("/nope", headers=secret)
    await client.put("/tasks", headers=secret)
    await client.post("/tasks", content=b"{", headers={**secret, **JSON})
    await client.post("/tasks", headers={**secret, "Origin": "https://example.com"})
    await client.head("/", headers=secret)
    await client.get("/static/style.css", headers=secret)

    written = lines(client)

    expected = [
        "201 POST /tasks",
        "200 GET /tasks",
        "404 GET /nope",
        "405 PUT /tasks",
        "400 POST /tasks",
        "403 POST /tasks",
        "200 HEAD /",
        "200 GET /static/style.css",
    ]
    assert expected == [" ".join(each.split(" ")[1:4]) for each in written]
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d{3} [A-Z]+ /\S* \d+\.\d\dms r")
    assert all(form.fullmatch(each) for each in written)
    assert "s3cret" not in "".join(written)


async def test_sockets_and_streams_are_in_it(client: Client) -> None:
    """A WebSocket and a stream are logged once they end."""
    lines(client)
    client.service.log.clear()
    async with connected(client.service.app, "/ws") as socket:
        await socket.next()
        assert [] == lines(client)
    async with client.stream("GET", "/changes/stream"):
        pass
    async with connected(client.service.app, "/ws", [("Origin", "https://example.com")]) as socket:
        await socket.next()

    told = [" ".join(each.split(" ")[1:4]) for each in lines(client)]
    assert ["101 WEBSOCKET /ws", "200 GET /changes/stream", "403 WEBSOCKET /ws"] == told


async def test_nobody_else_writes_lines(client: Client) -> None:
    """A path stays percent-encoded, so that it cannot break a line or a terminal."""
    lines(client)
    client.service.log.clear()
    await client.raw("GET", "/%0A2026%20200%20GET%20/admin%1B%5B31m")

    (line,) = lines(client)
    assert " 404 GET /%0A2026%20200%20GET%20/admin%1B%5B31m " in line


async def test_lines_are_written_without_being_asked(client: Client) -> None:
    """Lines are written after a moment, or once there are many."""
    log: list[str] = []
    access_log = AccessLog(log.append)
    scope = {"method": "GET", "path": "/", "raw_path": b"/"}
    request = Request("GET", "/", b"", {}, AsyncMock(), "r")
    for _ in range(MAX_GATHERED):
        assert [] == log
        access_log.write(scope, 200, 0.001, request)

    assert (1, MAX_GATHERED) == (len(log), log[0].count("\n"))
    access_log.flush()
    assert 1 == len(log)


async def test_log_for_programs(store: Store) -> None:
    """If JSON is chosen, every log line is a JSON document."""
    async with serving(store) as client:
        client.service.access_log.format = as_json
        await made(client, "tasks", **MINIMAL["tasks"])

        assert {"POST", "GET"} == {json.loads(each)["method"] for each in lines(client)}
