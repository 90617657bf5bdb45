"""Sessions of browsers: their cookies, and the pages that may use them."""

import pytest

from domain.ports import Store
from tests.http.access import UNKNOWN, bearer, new_key, session
from tests.http.service import Client, serving
from tests.http.steps import MINIMAL, asked, got
from tests.http.test_streams import check_refused
from tests.http.transport import connected

pytestmark = pytest.mark.anyio


async def test_session(client: Client, store: Store) -> None:
    """A browser shows a key once, then uses a cookie that scripts cannot read, until it ends the session."""
    key = await new_key(store, "write")
    opened = await client.post("/session", json={"key": key})
    attributes = opened.headers["set-cookie"].split("; ")
    assert {"Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Strict"} == set(attributes[1:])
    assert key not in opened.text + opened.headers["set-cookie"]
    who = await got(client, "/session")  # the client sends the cookie, as a browser does
    assert (opened.json(), "session", "write") == (who, who["by"], who["scope"])
    assert 201 == (await client.post("/tasks", json=MINIMAL["tasks"])).status_code
    cookie = {"Cookie": attributes[0]}
    assert 204 == (await client.delete("/session", headers={"Sec-Fetch-Site": "same-origin"})).status_code
    assert (401, "unauthorized") == asked(await client.get("/session", headers=cookie))


async def test_a_session_over_https(client: Client, store: Store) -> None:
    """Over https the cookie is bound to this host, and any other cookie is ignored."""
    key = await new_key(store)
    https = Client(client.service, None)
    https.base_url = "https://127.0.0.1:8000"
    opened = await https.post("/session", json={"key": key})
    name, _, token = opened.headers["set-cookie"].partition(";")[0].partition("=")
    assert ("__Host-backroom_session", True) == (name, "; Secure" in opened.headers["set-cookie"])
    https.cookies.clear()
    for each, status in (("backroom_session", 401), (name, 200)):
        assert status == (await https.get("/session", headers={"Cookie": f"{each}={token}"})).status_code
    await https.aclose()


async def test_another_session(client: Client, store: Store) -> None:
    """A browser that shows a key again gets another session, and the session before ends."""
    key = await new_key(store)
    first = await session(client, key)
    opened = await client.post("/session", json={"key": key}, headers=first)
    assert 200 == opened.status_code
    client.cookies.clear()
    assert 401 == (await client.get("/session", headers=first)).status_code


async def test_a_key_counts_before_a_cookie(client: Client, store: Store) -> None:
    """If a request has a key and a cookie, only the key counts, even if it is invalid."""
    browser = await session(client, await new_key(store, "admin"))
    reader = await new_key(store, "read")
    assert "read" == (await client.get("/session", headers={**browser, **bearer(reader)})).json()["scope"]
    assert 401 == (await client.get("/session", headers={**browser, **bearer(UNKNOWN)})).status_code


async def test_one_is_not_taken_for_the_other(client: Client, store: Store) -> None:
    """A key does not work as a cookie, and a session token does not work as a key."""
    key = await new_key(store)
    token = (await session(client, key))["Cookie"].partition("=")[2]
    assert 401 == (await client.get("/tasks", headers={"Cookie": f"backroom_session={key}"})).status_code
    assert 401 == (await client.get("/tasks", headers=bearer(token))).status_code


@pytest.mark.parametrize("cookie", ["session=x", "backroom_session=", "backroom_session", "a=b; c=d", "=", ";;"])
async def test_cookies_of_others(client: Client, store: Store, cookie: str) -> None:
    """Cookies of other services are ignored, even beside one of ours."""
    browser = await session(client, await new_key(store))
    assert (401, "unauthorized") == asked(await client.get("/tasks", headers={"Cookie": cookie}))
    both = {"Cookie": f"{cookie}; {browser['Cookie']}"}
    assert 200 == (await client.get("/tasks", headers=both)).status_code


async def test_cookies_in_several_lines(client: Client, store: Store) -> None:
    """Cookies may come in several lines (RFC 9113, 8.2.3), and a comma in one of them begins no other."""
    browser = await session(client, await new_key(store))
    client.cookies.clear()
    lines = [("Cookie", "a=b"), ("Cookie", browser["Cookie"]), ("Cookie", "c=d")]
    assert 200 == (await client.get("/tasks", headers=lines)).status_code
    assert 401 == (await client.get("/tasks", headers={"Cookie": f"a=b,{browser['Cookie']}"})).status_code


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://shop.example"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"}, False),
        ({"Origin": "http://127.0.0.1:8000"}, True),
        ({"Origin": "https://shop.example"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, True),
    ],
)
async def test_writes_by_cookie_and_sockets(store: Store, headers: dict[str, str], passes: bool) -> None:
    """A request whose cookie the browser adds by itself must come from a page of this service."""
    async with serving(store, origins=("https://shop.example",)) as client:
        browser = await session(client, await new_key(store))
        written = await client.post("/tasks", json=MINIMAL["tasks"], headers={**browser, **headers})
        async with connected(client.service.app, "/ws", [*browser.items(), *headers.items()]) as opened:
            if passes:
                assert (201, "websocket.accept") == (written.status_code, (await opened.next())["type"])
            else:
                assert (403, "bad_origin") == asked(written)
                await check_refused(opened, 403, "bad_origin")


async def test_why_other_sites_have_no_session(store: Store) -> None:
    """A page that CORS allows is not told that CORS would help: another site has no session here, whatever is set."""
    async with serving(store, origins=("https://shop.example",)) as client:
        browser = await session(client, await new_key(store))
        sent = {**browser, "Sec-Fetch-Site": "same-site"}
        for origin, pages in (({"Origin": "https://shop.example"}, "'https://shop.example'"), ({}, "another site")):
            refused = await client.post("/tasks", json=MINIMAL["tasks"], headers={**sent, **origin})
            expected = (
                f"pages of {pages} may not use a session or a WebSocket here, whatever BACKROOM_CORS_ORIGINS says"
            )
            assert expected == refused.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://shop.example"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({}, True),
    ],
)
async def test_writes_with_a_key(store: Store, headers: dict[str, str], passes: bool) -> None:
    """A page that CORS allows may write with a key. Its origin is checked, too."""
    async with serving(store, origins=("https://shop.example",)) as client:
        key = await new_key(store)
        written = await client.post("/tasks", json=MINIMAL["tasks"], headers={**bearer(key), **headers})
        assert (201 if passes else 403) == written.status_code
