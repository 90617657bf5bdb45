"""Behind proxies: only trusted proxies are believed, and our URLs keep the prefix of the path."""

import json
from collections.abc import AsyncIterator

import pytest

from adapters.http.middleware.access_log import as_json
from domain.ports import Store
from tests.http.service import Client, serving
from tests.http.steps import MINIMAL, asked, got
from tests.http.transport import HOST, connected

pytestmark = pytest.mark.anyio

BELOW = {"X-Forwarded-Prefix": "/shop/back%20room"}
ROOT = "/shop/back%20room"


@pytest.fixture
async def behind(store: Store) -> AsyncIterator[Client]:
    """Serve behind a trusted proxy."""
    async with serving(store, proxies=("127.0.0.1",)) as client:
        yield client


async def test_every_url_keeps_the_prefix(behind: Client) -> None:
    """Every URL of another path of ours works from outside the proxy."""
    created = await behind.post("/tasks", json=MINIMAL["tasks"], headers=BELOW)
    await behind.put("/tasks/1", json={"title": "New"}, headers=BELOW)
    await behind.post("/tasks", json=MINIMAL["tasks"], headers=BELOW)
    page = await behind.get("/tasks?limit=1", headers=BELOW)
    history = await behind.get("/tasks/1/history?limit=1", headers=BELOW)
    home = await behind.get("/", headers={**BELOW, "Accept": "text/html"})
    openapi = await behind.get("/openapi.json", headers=BELOW)
    bulk = await behind.post("/tasks/bulk", json={"operations": [{"op": "delete", "id": 9}]}, headers=BELOW)

    assert f"{ROOT}/tasks/1" == created.headers["location"]
    assert page.json()["next"].startswith(f"{ROOT}/tasks?limit=1&cursor=")
    assert f'<{page.json()["next"]}>; rel="next"' == page.headers["link"]
    assert page.json()["changes"].startswith(f"{ROOT}/changes?after=")
    assert f"{ROOT}/tasks/1/history?limit=1&cursor=v1" == history.json()["next"]
    assert f"{ROOT}/app/" == home.headers["location"]
    assert [{"url": ROOT}] == openapi.json()["servers"]
    assert f"{ROOT}/problems/not_found" == bulk.json()["type"] == bulk.json()["failures"][0]["body"]["type"]
    for path in ("/tasks/9", "/nope", "/tasks?nope=1", "/static/nope"):
        assert (await behind.get(path, headers=BELOW)).json()["type"].startswith(f"{ROOT}/problems/")


async def test_pages_have_relative_links(client: Client) -> None:
    """The links of a page work below any prefix."""
    for path in ("/docs", "/app/", "/static/docs.js"):
        text = (await client.get(path)).text
        for wrong in ('"/tasks', '"/static', '"/openapi', '"/docs', '"/products'):
            assert wrong not in text


async def test_several_proxies_below_each_other(behind: Client) -> None:
    """Each proxy adds the prefix that it took off. A value that is no path is ignored."""
    for sent, root in (
        ("/outer, /inner/", "/outer/inner"),
        ("/", ""),
        ("//evil.example", ""),
        ("https://evil.example", ""),
        ("/a?b", ""),
    ):
        page = await behind.get("/tasks", headers={"X-Forwarded-Prefix": sent})
        assert page.json()["changes"].startswith(f"{root}/changes?after="), sent


async def test_a_key_is_the_same_below_any_prefix(behind: Client) -> None:
    """A request that is repeated below another prefix is the same request."""
    key = {"Idempotency-Key": "k"}
    first = await behind.post("/tasks", json=MINIMAL["tasks"], headers=key)
    again = await behind.post("/tasks", json=MINIMAL["tasks"], headers={**key, **BELOW})
    assert (201, first.content) == (again.status_code, again.content)


async def test_nobody_is_trusted(client: Client) -> None:
    """Without trusted proxies, the forwarding headers of a client are ignored."""
    created = await client.post("/tasks", json=MINIMAL["tasks"], headers=BELOW)
    assert "/tasks/1" == created.headers["location"]


async def test_another_is_trusted(store: Store) -> None:
    """If one proxy is trusted, others are still not trusted."""
    async with serving(store, proxies=("192.0.2.7",)) as client:
        created = await client.post("/tasks", json=MINIMAL["tasks"], headers=BELOW)
        assert "/tasks/1" == created.headers["location"]


async def test_the_client_and_the_scheme(behind: Client) -> None:
    """The log has the client's address. The forwarded scheme is part of the origin that may write."""
    behind.service.access_log.format = as_json
    forwarded = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    own = {"Host": "shop.example", "Origin": "https://shop.example"}

    assert (403, "bad_origin") == asked(await behind.post("/tasks", json=MINIMAL["tasks"], headers=own))
    assert 201 == (await behind.post("/tasks", json=MINIMAL["tasks"], headers={**own, **forwarded})).status_code

    behind.service.access_log.flush()
    lines = [json.loads(line) for line in "".join(behind.service.log).splitlines() if line.startswith("{")]
    assert ["127.0.0.1", "192.0.2.1"] == [line["client"] for line in lines[-2:]]


async def test_sockets_below_a_prefix(behind: Client) -> None:
    """The WebSocket works below a prefix, too."""
    async with connected(behind.service.app, "/ws", [*BELOW.items()]) as socket:
        assert "websocket.accept" == (await socket.next())["type"]
        assert "ready" == (await socket.document())["type"]


async def test_a_server_below_a_path(client: Client) -> None:
    """The `root_path` of ASGI, under which a server mounts us, works in the same way."""

    async def below(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await client.service.app({**scope, "root_path": "/shop", "path": f"/shop{scope['path']}"}, receive, send)

    client._transport._app = below  # type: ignore[attr-defined]
    assert (await got(client, "/tasks"))["changes"].startswith("/shop/changes?after=")


# What proxies send by default, when a browser asks them for https://shop.example at 203.0.113.9. nginx sends none of
# these headers unless it is configured to: its `Host` is the name in `proxy_pass`.
PROXIES = {
    "nginx, told so": {"Host": "shop.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"},
    "Caddy": {
        "Host": "shop.example",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Proto": "https",
    },
    "Traefik": {
        "Host": "shop.example",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Server": "traefik",
        "X-Real-Ip": "203.0.113.9",
    },
    "one that keeps its own Host": {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Proto": "https",
    },
    "RFC 7239": {"Forwarded": 'For="203.0.113.9:4711";Host=shop.example;proto=HTTPS;by=_x'},
    "two proxies": {
        "X-Forwarded-For": "203.0.113.9, 127.0.0.1",
        "X-Forwarded-Host": "shop.example, 10.0.0.1:81",
        "X-Forwarded-Proto": "https, http",
    },
    "two proxies of RFC 7239": {
        "Forwarded": "for=203.0.113.9;host=shop.example;proto=https, for=127.0.0.1;host=inner;proto=http"
    },
}


@pytest.mark.parametrize("sent", PROXIES.values(), ids=PROXIES.keys())
async def test_own_pages_behind_a_proxy(store: Store, sent: dict[str, str]) -> None:
    """A page that came through the proxy may write, whichever header has the host."""
    async with serving(store, proxies=("127.0.0.1",), hosts=("127.0.0.1", "shop.example")) as client:
        client.service.access_log.format = as_json
        headers = {**sent, "Origin": "https://shop.example"}
        assert 201 == (await client.post("/tasks", json=MINIMAL["tasks"], headers=headers)).status_code
        other = {**sent, "Origin": "https://stranger.example"}
        assert (403, "bad_origin") == asked(await client.post("/tasks", json=MINIMAL["tasks"], headers=other))
        client.service.access_log.flush()
        lines = [json.loads(line) for line in "".join(client.service.log).splitlines() if line.startswith("{")]
        assert {"203.0.113.9"} == {line["client"] for line in lines[-2:]}


@pytest.mark.parametrize(
    "sent",
    [
        {"X-Forwarded-Host": "shop.example, evil.example"},
        {"X-Forwarded-Host": "shop.example", "X-Forwarded-For": "203.0.113.9, 198.51.100.1"},
        {"Forwarded": "host=shop.example, host=evil.example"},
        {"Forwarded": 'for="_x;host=shop.example"'},
        {"X-Forwarded-Host": "a b"},
        {"X-Forwarded-Host": "https://shop.example"},
        {"X-Forwarded-Proto": "https", "Forwarded": "host=shop.example"},
    ],
)
async def test_what_a_client_says_behind_a_proxy(store: Store, sent: dict[str, str]) -> None:
    """Hops beyond the outermost trusted proxy's may be forged, so they are ignored. An invalid host is refused."""
    if sent.get("X-Forwarded-For"):
        sent = {**sent, "X-Forwarded-Host": "shop.example, evil.example"}
    async with serving(store, proxies=("127.0.0.1",)) as client:
        for scheme in ("http", "https"):
            headers = {**sent, "Origin": f"{scheme}://shop.example"}
            assert (403, "bad_origin") == asked(await client.post("/tasks", json=MINIMAL["tasks"], headers=headers))


async def test_hosts_behind_a_proxy(store: Store) -> None:
    """The host in the request to the proxy counts, and must be one of ours."""
    async with serving(store, proxies=("127.0.0.1",), hosts=("shop.example",)) as client:
        for sent, status in (({"X-Forwarded-Host": "shop.example"}, 200), ({"X-Forwarded-Host": "x.example"}, 400)):
            assert status == (await client.get("/tasks", headers={**sent, "Host": HOST})).status_code
    async with serving(store, hosts=("shop.example",)) as client:
        assert 400 == (await client.get("/tasks", headers={"X-Forwarded-Host": "shop.example"})).status_code


@pytest.mark.parametrize(
    ("node", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("unknown", "127.0.0.1"),
        ("_hidden", "127.0.0.1"),
        ("a\u0080", "127.0.0.1"),
    ],
)
async def test_clients(behind: Client, node: str, client: str) -> None:
    """The address of a client is read without its port. If it is invalid, the proxy's address counts."""
    behind.service.access_log.format = as_json
    await behind.get("/tasks", headers=[(b"x-forwarded-for", node.encode("latin-1"))])
    await behind.get("/tasks", headers=[(b"forwarded", f'for="{node}"'.encode("latin-1"))])
    behind.service.access_log.flush()

    lines = [json.loads(line) for line in "".join(behind.service.log).splitlines() if line.startswith("{")]
    assert [client, client] == [line["client"] for line in lines[-2:]]
