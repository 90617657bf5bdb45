"""Rules for every request: path, method, accepted types, origin and id."""

from typing import Any

import pytest

from domain.ports import Store
from tests.http.service import Client, serving
from tests.http.steps import MINIMAL, asked, log, made
from tests.http.transport import ORIGIN

pytestmark = pytest.mark.anyio

PATHS: list[tuple[str, set[str]]] = [
    ("/", {"GET"}),
    ("/tasks", {"GET", "POST"}),
    ("/products", {"GET", "POST"}),
    ("/tasks/1", {"GET", "PUT", "PATCH", "DELETE"}),
    ("/products/1", {"GET", "PUT", "PATCH", "DELETE"}),
    ("/tasks/1/restore", {"POST"}),
    ("/tasks/1/history", {"GET"}),
    ("/products/1/stock", {"POST"}),
    ("/tasks/bulk", {"POST"}),
    ("/changes", {"GET"}),
    ("/changes/stream", {"GET"}),
    ("/healthz", {"GET"}),
    ("/readyz", {"GET"}),
    ("/openapi.json", {"GET"}),
    ("/docs", {"GET"}),
    ("/app/", {"GET"}),
    ("/app", {"GET"}),
    ("/app/tasks", {"GET"}),
    ("/docs/", {"GET"}),
    ("/problems/not_found", {"GET"}),
]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "BREW")
NOWHERE = [
    "/nope",
    "/tasks/",
    "/tasks//",
    "//tasks",
    "/Tasks",
    "/tasks%0A",
    "/tasks/1/",
    "/tasks/1/nope",
    "/tasks/1/stock",
    "/tasks/1/history%0A",
    "/tasks/bulk/",
    "/app//",
    "/app/tasks/",
    "/docs//",
    "/healthz/",
    "/%00",
    "/%FF",
    "/tasks/../tasks",
    "/static",
    "/problems/",
    "*",
]


async def test_nowhere(client: Client) -> None:
    """An unknown path gets 404 by any method, and is never redirected."""
    for path in NOWHERE:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            response = await client.raw(method, path)
            assert (404, "not_found") == asked(response), (method, path)
        assert (404, b"") == ((await client.raw("HEAD", path)).status_code, (await client.raw("HEAD", path)).content)


async def test_methods(client: Client) -> None:
    """OPTIONS and 405 name every method of the path, HEAD and OPTIONS among them."""
    for path, methods in PATHS:
        allowed = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        told = await client.options(path)
        assert (204, b"", allowed) == (told.status_code, told.content, set(told.headers["allow"].split(", "))), path
        for method in set(METHODS) - allowed:
            response = await client.request(method, path)
            assert 405 == response.status_code, (method, path)
            assert allowed == set(response.headers["allow"].split(", "))
            assert (b"" == response.content) is (method == "HEAD")


async def test_head(client: Client) -> None:
    """HEAD has the same headers as GET, and no body."""
    await made(client, "tasks")
    await made(client, "products")
    volatile = {"x-request-id", "x-process-time"}

    for path, methods in PATHS:
        if "GET" in methods and path != "/changes/stream":
            shown, told = await client.get(path), await client.head(path)
            assert (shown.status_code, b"") == (told.status_code, told.content)
            for name in set(shown.headers) - volatile:
                assert shown.headers[name] == told.headers[name], (path, name)
            assert set(shown.headers) == set(told.headers)


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/*",
        "application/json",
        "Application/JSON",
        "application/json;q=0.001",
        "application/json; charset=utf-8",
        "text/html, application/xhtml+xml, */*;q=0.1",
        "application/*;q=0, application/json",
        "application/problem+json, application/json",
        "",
    ],
)
async def test_accepts_json(client: Client, accept: str) -> None:
    """A client that accepts JSON in any way gets JSON."""
    assert 200 == (await client.get("/tasks", headers={"Accept": accept})).status_code
    assert 201 == (await client.post("/tasks", json=MINIMAL["tasks"], headers={"Accept": accept})).status_code


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/xml, image/*",
        "application/json;q=0",
        "application/json;q=0.000, text/csv;q=0, application/x-ndjson;q=0, */*",
        "application/*;q=0, text/*;q=0, */*",
        "application/json;q=nan",
        "application/json;q=-1",
        "application/json;q=",
        "application/problem+json",
        "json",
    ],
)
async def test_accepts_no_json(client: Client, accept: str) -> None:
    """A client that rules out every form gets an error before anything is done. The problem is JSON nevertheless."""
    assert (406, "not_acceptable") == asked(await client.get("/tasks", headers={"Accept": accept}))
    response = await client.post("/tasks", json=MINIMAL["tasks"], headers={"Accept": accept})

    assert (406, "not_acceptable") == asked(response)
    assert [] == await log(client)


async def test_parameters_where_there_are_none(client: Client) -> None:
    """A path without parameters refuses every parameter, on writes too. An empty query is allowed."""
    await made(client, "tasks")

    for method, path in (
        ("GET", "/"),
        ("GET", "/tasks/1"),
        ("POST", "/tasks"),
        ("DELETE", "/tasks/1"),
        ("GET", "/docs"),
    ):
        assert (400, "bad_parameter") == asked(await client.request(method, f"{path}?x=1"))
    assert 200 == (await client.raw("GET", "/tasks/1?")).status_code


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "LOCALHOST:80", "localhost", "[::1]:8000", "[::1]"])
async def test_hosts(store: Store, host: str) -> None:
    """The service accepts its own host names, on any port."""
    async with serving(store, hosts=("127.0.0.1", "localhost", "::1")) as client:
        assert 200 == (await client.get("/tasks", headers={"Host": host})).status_code


@pytest.mark.parametrize(
    "host", ["example.com", "localhost.example.com", "127.0.0.1.example.com", "", "127.0.0.2", "[::2]", "["]
)
async def test_other_hosts(store: Store, host: str) -> None:
    """A foreign host name gets an error before anything is done, for any request."""
    async with serving(store, hosts=("127.0.0.1", "localhost", "::1")) as client:
        for method, path in (
            ("GET", "/tasks"),
            ("POST", "/tasks"),
            ("GET", "/nope"),
            ("OPTIONS", "/"),
            ("GET", "/static/style.css"),
        ):
            response = await client.request(method, path, headers={"Host": host})
            assert (400, "malformed_request") == asked(response)
            assert "BACKROOM_ALLOWED_HOSTS" in response.json()["detail"]


async def test_any_host(client: Client) -> None:
    """Without configured hosts, the service accepts any host."""
    assert 200 == (await client.get("/tasks", headers={"Host": "example.com"})).status_code


WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/tasks", MINIMAL["tasks"]),
    ("PUT", "/tasks/1", {"title": "New"}),
    ("PATCH", "/tasks/1", {"title": "New"}),
    ("DELETE", "/tasks/1", None),
    ("POST", "/tasks/1/restore", None),
    ("POST", "/products/1/stock", {"change": 1}),
    ("POST", "/tasks/bulk", {"operations": [{"op": "delete", "id": 1}]}),
]


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:8001",
        "https://127.0.0.1:8000",
        f"{ORIGIN}/",
        "",
    ],
)
async def test_writes_of_other_pages(client: Client, origin: str) -> None:
    """A page of another origin, even on another port, cannot write. CORS decides about reading."""
    await made(client, "tasks")
    for method, path, body in WRITES:
        response = await client.request(method, path, json=body, headers={"Origin": origin})
        assert (403, "bad_origin") == asked(response), (method, path)

    assert 1 == len(await log(client))
    assert 200 == (await client.get("/tasks", headers={"Origin": origin})).status_code


async def test_words_for_what_is_not_there(store: Store) -> None:
    """What a request does not say is not told as if it had said nothing in quotes."""
    async with serving(store, hosts=("127.0.0.1",)) as client:
        nowhere = await client.get("/tasks", headers={"Host": ""})
        nobody = await client.post("/tasks", json=MINIMAL["tasks"], headers={"Origin": ""})

    assert nowhere.json()["detail"].startswith("this service does not answer without a Host; ")
    assert nobody.json()["detail"].startswith("pages of another site may not write here; ")


async def test_writes_of_own_pages(client: Client) -> None:
    """The service's own pages can write."""
    assert 201 == (await client.post("/tasks", json=MINIMAL["tasks"], headers={"Origin": ORIGIN})).status_code


@pytest.mark.parametrize("request_id", ["a", "A-Za-z0-9._:/+=-", "x" * 128, "0"])
async def test_own_request_id(client: Client, request_id: str) -> None:
    """A client's own request id is returned, in problems and in the log of changes, too."""
    headers = {"X-Request-ID": request_id}
    created = await client.post("/tasks", json=MINIMAL["tasks"], headers=headers)
    missing = await client.get("/nope", headers=headers)

    assert request_id == created.headers["x-request-id"] == missing.headers["x-request-id"]
    assert request_id == missing.json()["request_id"] == (await log(client))[0]["request_id"]


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a b", "a,b", "é", "a\tb", '"a"', "a\n", "(", "{}"])
async def test_no_request_id(client: Client, request_id: str) -> None:
    """An invalid request id is replaced by a new one."""
    response = await client.get("/nope", headers=[(b"x-request-id", request_id.encode("latin-1"))])

    assert request_id != response.headers["x-request-id"] == response.json()["request_id"]
    assert response.headers["x-request-id"].isalnum()


async def test_two_request_ids_are_none(client: Client) -> None:
    """Two request ids are replaced by a new one."""
    response = await client.get("/", headers=[("X-Request-ID", "a"), ("X-Request-ID", "b")])

    assert response.headers["x-request-id"] not in ("a", "b", "a, b")


async def test_new_request_ids_differ(client: Client, other: Client) -> None:
    """No two requests get the same id, in any process."""
    ids = {
        (await each.get(path)).headers["x-request-id"]
        for each in (client, other)
        for path in ("/", "/tasks", "/nope") * 3
    }

    assert 18 == len(ids)
