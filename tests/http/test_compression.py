"""Compressed responses, for clients that accept them, mean the same as plain ones."""

import asyncio
import threading
import zlib
from typing import Any

import pytest

from adapters.http.middleware import compression
from adapters.http.middleware.compression import MAX_ON_LOOP
from tests.http.service import Client
from tests.http.steps import made

pytestmark = pytest.mark.anyio

GZIP = {"Accept-Encoding": "gzip"}
VARY = "Accept, Accept-Encoding"
LONG = "x" * 5000


@pytest.mark.parametrize(
    "accepted", ["gzip", "br, gzip", "gzip;q=0.5, br", "gzip; q=1.0", "identity;q=0, gzip", "gzip;q=0.001", "GZip", "*"]
)
async def test_is_compressed_where_it_is_taken(client: Client, accepted: str) -> None:
    """A long response is compressed for a client that accepts gzip, and its Vary header says so."""
    await made(client, "tasks", notes=LONG)
    plain = await client.get("/tasks/1")

    response = await client.get("/tasks/1", headers={"Accept-Encoding": accepted})

    assert ("gzip", VARY, VARY) == (
        response.headers["content-encoding"],
        response.headers["vary"],
        plain.headers["vary"],
    )
    assert int(response.headers["content-length"]) < 1000
    assert plain.content == response.content


@pytest.mark.parametrize(
    "accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0.000", "br, gzip ; q=0, x", "*;q=0", "notgzip", "gzipped"]
)
async def test_is_plain_where_it_is_not_taken(client: Client, accepted: str) -> None:
    """A client that does not name gzip, or rules it out, gets plain responses."""
    await made(client, "tasks", notes=LONG)

    assert "content-encoding" not in (await client.get("/tasks/1", headers={"Accept-Encoding": accepted})).headers


async def test_short_answers_stay_plain(client: Client) -> None:
    """A short response stays plain, because compression would not shorten it."""
    await made(client, "tasks")

    assert "content-encoding" not in (await client.get("/tasks/1", headers=GZIP)).headers


async def test_tag_of_a_compressed_answer(client: Client) -> None:
    """A compressed response has other bytes and so its own etag. If-Match and If-None-Match accept that, too."""
    await made(client, "tasks", notes=LONG)
    tag = (await client.get("/tasks/1", headers=GZIP)).headers["etag"]

    assert ('"1-gzip"', '"1"') == (tag, (await client.get("/tasks/1")).headers["etag"])
    for known in (tag, '"1"', f'"0", {tag}'):
        unchanged = await client.get("/tasks/1", headers={**GZIP, "If-None-Match": known})
        assert (304, known.split(", ")[-1]) == (unchanged.status_code, unchanged.headers["etag"])
    edited = await client.put("/tasks/1", json={"title": "New"}, headers={**GZIP, "If-Match": tag})
    assert (200, '"2-gzip"') == (edited.status_code, edited.headers["etag"])
    assert "gzip" == edited.headers["content-encoding"]


async def test_tag_of_a_compressed_list(client: Client) -> None:
    """The etag of a list is valid whether the list was compressed or not."""
    await made(client, "tasks", notes=LONG)
    compressed = await client.get("/tasks", headers=GZIP)

    assert "gzip" == compressed.headers["content-encoding"]
    for headers in ({}, GZIP):
        known = {**headers, "If-None-Match": compressed.headers["etag"]}
        assert 304 == (await client.get("/tasks", headers=known)).status_code


async def test_replay_of_a_compressed_answer(client: Client) -> None:
    """A response is stored plain, and compressed anew for each client that accepts gzip."""
    key = {"Idempotency-Key": "k"}
    body = {"title": "a", "notes": LONG}

    first = await client.post("/tasks", json=body, headers={**key, **GZIP})
    plain = await client.post("/tasks", json=body, headers=key)

    assert ("gzip", None) == (first.headers["content-encoding"], plain.headers.get("content-encoding"))
    assert first.content == plain.content
    assert "true" == plain.headers["idempotency-replayed"]


async def test_problems_and_heads(client: Client) -> None:
    """Problems are compressed like other responses, and HEAD has the headers of GET."""
    problem = await client.post("/tasks", json={f"f{n}": n for n in range(50)}, headers=GZIP)
    head = await client.head("/openapi.json", headers=GZIP)

    assert (422, "gzip") == (problem.status_code, problem.headers["content-encoding"])
    assert (200, b"") == (head.status_code, head.content)
    shown = await client.get("/openapi.json", headers=GZIP)
    for name in ("content-encoding", "content-length", "etag", "vary"):
        assert shown.headers[name] == head.headers[name]


async def test_what_is_compressed_once_has_the_same_bytes_again(client: Client) -> None:
    """A strong etag stands for bytes, so the same entity always compresses to the same bytes."""
    await made(client, "tasks", notes=LONG)
    answers = []
    for _ in range(2):
        async with client.stream("GET", "/tasks/1", headers=GZIP) as response:
            answers.append(b"".join([chunk async for chunk in response.aiter_raw()]))
    assert answers[0] == answers[1]
    assert b"\x1f\x8b" == answers[0][:2]


async def test_long_answers_are_compressed_whole(client: Client) -> None:
    """A response that is compressed in a thread has the same content."""
    for _ in range(3):
        await client.post("/tasks/bulk", json={"operations": [{"op": "create", "body": {"title": LONG[:200]}}] * 200})
    plain, compressed = await client.get("/tasks?limit=1000"), await client.get("/tasks?limit=1000", headers=GZIP)
    assert len(plain.content) > MAX_ON_LOOP
    assert (plain.content, "gzip") == (compressed.content, compressed.headers["content-encoding"])


async def test_events_are_never_compressed(client: Client) -> None:
    """Events are not compressed, because compression would delay them."""
    await made(client, "tasks", notes=LONG)
    async with client.stream("GET", "/changes/stream", headers=GZIP) as response:
        assert "content-encoding" not in response.headers


async def test_long_answers_are_compressed_beside_the_loop(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long response is compressed in a thread, so that nobody waits for it. A shorter one is not worth a thread."""
    threads: list[int] = []
    compressobj = zlib.compressobj

    def watched(*arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return compressobj(*arguments)

    monkeypatch.setattr(zlib, "compressobj", watched)
    await made(client, "tasks", notes=LONG)
    await client.get("/tasks/1", headers=GZIP)
    monkeypatch.setattr(compression, "MAX_ON_LOOP", 2000)
    await client.get("/tasks/1", headers=GZIP)

    here = threading.get_ident()
    assert [True, False] == [each == here for each in threads]


async def test_one_long_answer_at_a_time_is_compressed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many long responses are compressed, the event loop shares the processor with one thread."""
    begun, may = asyncio.Queue[None](), threading.Event()
    loop, compressobj = asyncio.get_running_loop(), zlib.compressobj

    def held(*arguments: Any) -> Any:
        loop.call_soon_threadsafe(begun.put_nowait, None)
        may.wait()
        return compressobj(*arguments)

    await made(client, "tasks", notes=LONG)
    monkeypatch.setattr(zlib, "compressobj", held)
    monkeypatch.setattr(compression, "MAX_ON_LOOP", 2000)
    asked = [asyncio.create_task(client.get("/tasks/1", headers=GZIP)) for _ in range(3)]
    await begun.get()
    for _ in range(10):
        assert 200 == (await client.get("/healthz")).status_code
    others = begun.qsize()  # which would have begun by now
    may.set()
    assert 0 == others
    assert {200} == {each.status_code for each in await asyncio.gather(*asked)}
