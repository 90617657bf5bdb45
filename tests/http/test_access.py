"""Access by keys and by sessions: who may do what."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest

from adapters.http.admission import live_grants
from adapters.http.routes.router import Router
from domain.access.access_key import Actor
from domain.access.key_ring import RevokeKey
from domain.access.key_text import is_key, make_key
from domain.access.rate_limit import FAILED_TRIES, Quota, RateLimiter, Verdict
from domain.ports import Store
from tests.builders import Clock
from tests.http.access import bearer, callers, new_key, session
from tests.http.service import Client, serving
from tests.http.steps import MINIMAL, a_turn, asked, got, made
from tests.http.test_streams import events, refused, socket
from tests.http.transport import connected

pytestmark = pytest.mark.anyio

UNKNOWN = make_key(lambda characters: characters[0])
SCOPES = {
    None: """GET / | GET /healthz | GET /readyz | GET /openapi.json | GET /docs | GET /problems/{code} | GET /app/
        | GET /app/{view} | GET /app | GET /docs/ | POST /session | GET /calendars/{secret}.ics""",
    "read": """GET /tasks | GET /tasks/{id} | GET /tasks/{id}/history | GET /products | GET /products/{id}
        | GET /products/{id}/history | GET /changes | GET /changes/stream | GET /ws | WEBSOCKET /ws | GET /session
        | DELETE /session | GET /calendars | GET /calendars/{id}""",
    "write": """POST /tasks | PUT /tasks/{id} | PATCH /tasks/{id} | DELETE /tasks/{id} | POST /tasks/{id}/restore
        | POST /tasks/bulk | POST /tasks/import | POST /products/import
        | POST /products | PUT /products/{id} | PATCH /products/{id} | DELETE /products/{id}
        | POST /products/{id}/restore | POST /products/bulk | POST /products/{id}/stock | POST /calendars
        | DELETE /calendars/{id}""",
    "admin": """GET /keys | POST /keys | DELETE /keys/{id} | POST /keys/{id}/rotate | GET /webhooks | POST /webhooks
        | GET /webhooks/{id} | PUT /webhooks/{id} | PATCH /webhooks/{id} | DELETE /webhooks/{id}
        | POST /webhooks/{id}/restore | GET /webhooks/{id}/history | POST /webhooks/{id}/test
        | POST /webhooks/{id}/rotate | GET /webhooks/{id}/deliveries
        | POST /webhooks/{id}/deliveries/{delivery_id}/retry | GET /metrics""",
}
EXPECTED = {re.sub(r"\s+", " ", each).strip(): scope for scope, line in SCOPES.items() for each in line.split("|")}
MAY = {"nobody": (), "read": ("read",), "write": ("read", "write"), "session": ("read", "write")}
MAY |= {"admin": ("read", "write", "admin"), "expired": (), "revoked": ()}


class Lenient(RateLimiter):
    """Allows any number of failed attempts."""

    def take(self, subject: bytes, quota: Quota) -> Verdict:
        return Verdict(True, quota.amount, 0)


def routed(app: Any) -> Iterator[tuple[str, Any]]:
    """Walk the router, and yield each operation with the scope that it needs."""
    while not isinstance(app, Router):
        app = app._app
    for path, followed in app.sockets.items():
        yield f"WEBSOCKET {path}", cast("Any", followed).needs
    for path, endpoint in app.endpoints.items():
        if path != "/static/{name:path}":
            for method, served in cast("Any", endpoint)._served.items():
                if method not in ("HEAD", "OPTIONS"):
                    yield f"{method} {path}", served.needed


async def test_every_operation_says_what_it_needs(client: Client) -> None:
    """The router has exactly these operations, each with the scope that it needs."""
    assert EXPECTED == {name: scope and scope.value for name, scope in routed(client.service.app)}


async def test_the_document_says_the_same(client: Client) -> None:
    """The OpenAPI document names the security schemes and the scope of each operation."""
    document = await got(client, "/openapi.json")
    described = {
        f"{method.upper()} {path}": operation["security"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    expected = {
        name: [{"key": [scope]}, {"session": [scope]}] if scope else []
        for name, scope in EXPECTED.items()
        if not name.startswith("WEBSOCKET")
    }
    assert expected == described


async def test_everybody_may_do_what_his_key_allows(store: Store, clock: Clock) -> None:
    """Every operation admits a caller with its scope. Other callers learn which scope is missing."""
    operations = [name for name in EXPECTED if name not in ("DELETE /session", "WEBSOCKET /ws")]
    async with serving(store, limiter=Lenient()) as client:
        for caller, headers in (await callers(client, store, clock)).items():
            for name in (*operations, "DELETE /session"):  # this ends a session, so it comes last
                method, path = name.split()
                path = (
                    path.replace("{id}", "99")
                    .replace("{delivery_id}", "x")
                    .replace("{code}", "invalid")
                    .replace("{secret}", "x")
                )
                async with client.stream(method, path, headers=headers) as response:
                    status = response.status_code
                if EXPECTED[name] is None or EXPECTED[name] in MAY[caller]:
                    assert status not in (401, 403, 429), (caller, name)
                else:
                    assert (403 if MAY[caller] else 401) == status, (caller, name)


async def test_sockets(client: Client, store: Store, clock: Clock) -> None:
    """The handshake of a WebSocket shows a key or a cookie, too."""
    for caller, headers in (await callers(client, store, clock)).items():
        if MAY[caller]:
            async with socket(client, "/ws", **headers) as opened:
                assert "ready" == (await opened.document())["type"]
        else:
            async with connected(client.service.app, "/ws", [*headers.items()]) as opened:
                await refused(opened, 401, "unauthorized")


async def test_open_without_keys(client: Client) -> None:
    """While there is no key, every caller that can reach the service may do everything, whatever it shows."""
    assert {"key": None, "scope": "admin", "by": None, "expires_at": None} == await got(client, "/session")
    for headers in ({}, bearer(UNKNOWN), {"Authorization": "Basic eDp5"}, {"Cookie": "backroom_session=x"}):
        assert 200 == (await client.get("/keys", headers=headers)).status_code


async def test_the_first_key_closes_it(client: Client, other: Client, store: Store) -> None:
    """Once the first key exists, the next request in every process needs a key."""
    await new_key(store)
    assert (401, "unauthorized") == asked(await client.get("/tasks"))
    assert (401, "unauthorized") == asked(await other.get("/tasks"))


async def test_a_revocation_holds_at_the_next_request(client: Client, other: Client, store: Store) -> None:
    """If one process revokes a key or a session, the other process refuses it at the next request."""
    admin, key = await new_key(store), await new_key(store, "read")
    browser = await session(other, key)
    for headers in (bearer(key), browser):
        assert 200 == (await other.get("/tasks", headers=headers)).status_code
    assert 200 == (await client.delete("/keys/2", headers=bearer(admin))).status_code
    for headers in (bearer(key), browser):
        assert (401, "unauthorized") == asked(await other.get("/tasks", headers=headers))


@pytest.mark.parametrize("path", ["/nope", "/tasks/1/nope", "/static", "/TASKS"])
async def test_unknown_paths_need_a_key_too(client: Client, store: Store, path: str) -> None:
    """A caller without a key cannot learn which paths exist."""
    key = await new_key(store, "read")
    assert 401 == (await client.get(path)).status_code
    assert 404 == (await client.get(path, headers=bearer(key))).status_code


async def test_other_methods(client: Client, store: Store) -> None:
    """A method that a path lacks needs a key, too. OPTIONS does not, because a preflight shows no key."""
    key = await new_key(store, "read")
    assert [401, 405, 204] == [
        (await client.put("/tasks")).status_code,
        (await client.put("/tasks", headers=bearer(key))).status_code,
        (await client.options("/tasks")).status_code,
    ]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {key} {key}",
        "Bearer brm_" + "0" * 36,
        "Bearer {upper}",
        "Bearer\t{key}",
        "Token {key}",
        "Bearer é",
        'Digest username="x", realm="y"',
    ],
)
async def test_what_is_no_key(client: Client, store: Store, value: str) -> None:
    """An invalid key gets 401 with the scheme to use, and the response does not repeat the key."""
    key = await new_key(store)
    shown = value.format(key=key, upper=key.upper()).encode()
    response = await client.get("/tasks", headers=[(b"Authorization", shown)])
    assert (401, "unauthorized") == asked(response)
    assert "Bearer" == response.headers["www-authenticate"]
    assert key not in response.text


@pytest.mark.parametrize("value", ["Bearer {key}", "bearer {key}", "BEARER {key}", "Bearer   {key} "])
async def test_how_a_key_is_shown(client: Client, store: Store, value: str) -> None:
    """The name of the scheme is case-insensitive (RFC 9110, 11.1)."""
    key = await new_key(store)
    assert 200 == (await client.get("/tasks", headers={"Authorization": value.format(key=key)})).status_code


async def test_two_keys(client: Client, store: Store) -> None:
    """Two Authorization headers are no valid key, even if one of them is."""
    key = await new_key(store)
    for values in ((key, key), (key, UNKNOWN)):
        headers = [("Authorization", f"Bearer {each}") for each in values]
        assert (400, "bad_header") == asked(await client.get("/tasks", headers=headers))


@pytest.mark.parametrize(
    "target", ["/tasks?key={key}", "/tasks?q=x%20{key}", "/?{key}", "/tasks/{key}", "/{key}", "/healthz?k=%62rm_{rest}"]
)
async def test_a_key_in_a_url(client: Client, store: Store, target: str) -> None:
    """A key in a URL gets an error, and neither the response nor the log repeats it."""
    key = await new_key(store)
    target = target.format(key=key, rest=key.removeprefix("brm_"))
    response = await client.raw("GET", target, headers=bearer(key))
    assert (400, "bad_parameter") == asked(response)
    client.service.access_log.flush()
    assert key[4:] not in response.text + "".join(client.service.log)
    async with connected(client.service.app, f"/ws?key={key}") as opened:
        await refused(opened, 400, "bad_parameter")


async def test_a_key_as_request_id(client: Client, store: Store) -> None:
    """A key in X-Request-ID is not accepted as an id, because ids are returned and logged."""
    key = await new_key(store)
    response = await client.get("/tasks", headers={**bearer(key), "X-Request-ID": key})
    client.service.access_log.flush()
    assert key not in str(response.headers) + "".join(client.service.log)


async def test_keys(client: Client, store: Store, clock: Clock) -> None:
    """A key is created, shown once, listed without its secret, rotated and revoked."""
    admin = bearer(await new_key(store))
    made = await client.post("/keys", json={"name": "till 3", "scope": "read"}, headers=admin)
    key = made.json()["key"]
    assert (201, True) == (made.status_code, is_key(key))
    listed = (await client.get("/keys", headers=admin)).json()
    assert [1, 2] == [each["id"] for each in listed["keys"]]
    assert {name: value for name, value in made.json().items() if name != "key"} == listed["keys"][1]
    assert key[-4:] == listed["keys"][1]["last_four"]

    rotated = (await client.post("/keys/2/rotate", json={"overlap": "15m"}, headers=admin)).json()["key"]
    assert [200, 200] == [(await client.get("/tasks", headers=bearer(each))).status_code for each in (key, rotated)]
    clock.now += timedelta(minutes=15)
    assert [401, 200] == [(await client.get("/tasks", headers=bearer(each))).status_code for each in (key, rotated)]

    gone = await client.delete("/keys/2", headers=admin)
    assert (200, False) == (gone.status_code, gone.json()["deleted"]["revoked_at"] is None)
    assert 401 == (await client.get("/tasks", headers=bearer(rotated))).status_code
    assert (404, "not_found") == asked(await client.post("/keys/2/rotate", headers=admin))
    assert (404, "not_found") == asked(await client.delete("/keys/9", headers=admin))


async def test_last_use(client: Client, store: Store, clock: Clock) -> None:
    """The list tells when a key was last used."""
    admin = bearer(await new_key(store))
    await client.get("/tasks", headers=admin)
    await client.service.gate.note_uses(clock.now)
    await client.service.gate.note_uses(clock.now + timedelta(hours=1))
    listed = (await client.get("/keys", headers=admin)).json()["keys"]
    assert ["2026-01-31T12:00:00.000000Z"] == [each["last_used_at"] for each in listed]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/keys", {}, 422, "invalid"),
        ("POST", "/keys", {"name": "x", "scope": "root"}, 422, "invalid"),
        ("POST", "/keys", {"name": "x", "scope": "read", "expires_at": "2020-01-01T00:00:00Z"}, 422, "invalid"),
        ("POST", "/keys/1/rotate", {"overlap": "2d"}, 422, "invalid"),
        ("POST", "/keys/x/rotate", {}, 422, "invalid"),
        ("POST", "/session", {}, 422, "invalid"),
        ("POST", "/session", {"key": 5, "name": "x"}, 422, "invalid"),
        ("POST", "/session", [], 400, "malformed_json"),
        ("POST", "/session", {"key": "x"}, 401, "unauthorized"),
        ("POST", "/session", {"key": UNKNOWN}, 401, "unauthorized"),
    ],
)
async def test_bad_documents(
    client: Client, store: Store, *, method: str, path: str, body: Any, status: int, code: str
) -> None:
    """An invalid document gets an error, and changes nothing."""
    admin = await new_key(store)
    assert (status, code) == asked(await client.request(method, path, json=body, headers=bearer(admin)))
    assert 1 == len(await store.access_keys.keys())


async def test_secrets_are_not_kept(client: Client, store: Store) -> None:
    """An idempotency key is refused if the stored response would hold a secret."""
    headers = {**bearer(await new_key(store)), "Idempotency-Key": "k"}
    for path in ("/keys", "/keys/1/rotate"):
        response = await client.post(path, json={"name": "x", "scope": "read"}, headers=headers)
        assert (400, "bad_header") == asked(response)


async def test_only_validated(client: Client, store: Store) -> None:
    """A dry run gets the response of a real run, and changes nothing."""
    headers = {**bearer(await new_key(store)), "Prefer": "validate-only"}
    made = await client.post("/keys", json={"name": "x", "scope": "read"}, headers=headers)
    assert (201, "validate-only") == (made.status_code, made.headers["preference-applied"])
    assert 200 == (await client.post("/keys/1/rotate", headers=headers)).status_code
    assert 200 == (await client.delete("/keys/1", headers=headers)).status_code
    assert [None] == [each.revoked_at for each in await store.access_keys.keys()]
    assert 401 == (await client.get("/tasks", headers=bearer(made.json()["key"]))).status_code


async def test_last_admin_key(store: Store) -> None:
    """The last admin key cannot be revoked while other machines can reach the service. Otherwise it can."""
    admin = bearer(await new_key(store))
    await new_key(store, "write")
    async with serving(store, is_public=True) as public:
        assert (409, "last_admin_key") == asked(await public.delete("/keys/1", headers=admin))
    async with serving(store) as loopback:
        assert 200 == (await loopback.delete("/keys/1", headers=admin)).status_code


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
                await refused(opened, 403, "bad_origin")


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


async def test_failed_tries(client: Client, store: Store) -> None:
    """A caller that shows wrong keys again and again must wait. A caller with a valid key need not."""
    key = await new_key(store)
    assert [401] * 10 == [(await client.get("/tasks")).status_code for _ in range(10)]  # no key shown, no failed try
    assert 401 == (await client.get("/tasks", headers=bearer(UNKNOWN))).status_code
    for _ in range(FAILED_TRIES.amount - 1):
        assert 401 == (await client.post("/session", json={"key": UNKNOWN})).status_code
    for refused_now in (
        await client.post("/session", json={"key": UNKNOWN}),
        await client.get("/tasks", headers=bearer(UNKNOWN)),
    ):
        assert (429, "rate_limited") == asked(refused_now)
        assert 12 >= int(refused_now.headers["retry-after"]) >= 11
    assert 200 == (await client.get("/tasks", headers=bearer(key))).status_code


async def test_idempotency_keys_are_per_key(client: Client, store: Store) -> None:
    """Callers with the same idempotency key do not share it. A session shares those of its key."""
    one, two = await new_key(store), await new_key(store)
    browser = await session(client, one)
    made = [
        (await client.post("/tasks", json=MINIMAL["tasks"], headers={**each, "Idempotency-Key": "k"})).json()["id"]
        for each in (bearer(one), bearer(two), bearer(one), browser)
    ]
    assert made[0] != made[1]
    assert made[0] == made[2] == made[3]


async def test_the_log_names_who(client: Client, store: Store) -> None:
    """Each change has the name that its caller's key had then, however the key was shown."""
    await made(client, "tasks")
    key = await new_key(store, name="Ада")
    await client.post("/tasks", json=MINIMAL["tasks"], headers=bearer(key))
    await client.post(
        "/tasks/bulk", json={"operations": [{"op": "delete", "id": 1}]}, headers=await session(client, key)
    )
    who = {"key": 1, "name": "Ада"}
    changes = (await client.get("/changes", headers=bearer(key))).json()["changes"]
    assert [None, who, who] == [each["actor"] for each in changes]
    entries = (await store.read(None)).entries
    assert [None, Actor(1, "Ада"), Actor(1, "Ада")] == [each.change.actor for each in entries]
    assert 3 == len(changes)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check without delay whether followers may stay."""
    monkeypatch.setattr(live_grants, "LOOK_EVERY_S", 0.01)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("how", ["key", "session", "open"])
async def test_followers_go_with_their_key(client: Client, store: Store, how: str) -> None:
    """Revoking a key ends the streams, sockets (1008) and polls (401) of it and its sessions, and no others."""
    headers: dict[str, str] = {}
    if how != "open":
        key = await new_key(store, "read")
        headers = bearer(key) if how == "key" else await session(client, key)
    async with socket(client, "/ws", **headers) as opened, events(client, **headers) as stream:
        assert "ready" == (await opened.document())["type"]
        poll = asyncio.create_task(client.get("/changes?after=now&wait=60", headers=headers))
        await a_turn(client)
        staying = await new_key(store)
        async with socket(client, "/ws", **bearer(staying)) as other:
            assert "ready" == (await other.document())["type"]
            if how != "open":
                await store.access_keys.change(RevokeKey(id=1))
            closed = await opened.next()
            assert ("websocket.close", 1008) == (closed["type"], closed["code"])
            assert [] == [each async for each in stream]
            assert (401, "unauthorized") == asked(await poll)
            await client.post("/tasks", json=MINIMAL["tasks"], headers=bearer(staying))
            assert "task.created" == (await other.document())["type"]


@pytest.mark.usefixtures("hasty")
async def test_followers_go_when_their_key_expires(client: Client, store: Store, clock: Clock) -> None:
    """The expiry of a key ends its followers like a revocation."""
    key = await new_key(store, "read", expires_at=clock.now + timedelta(hours=1))
    async with socket(client, "/ws", **bearer(key)) as opened:
        assert "ready" == (await opened.document())["type"]
        clock.now += timedelta(hours=1)
        assert 1008 == (await opened.next())["code"]


async def test_every_answer_says_what_it_is(client: Client) -> None:
    """Every response forbids browsers to guess its type. Pages say what they may do."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    pages = ("/app/", "/app/tasks", "/docs", "/static/docs.html", "/problems/invalid")
    for path in (*pages, "/tasks", "/nope", "/tasks/x"):
        response = await client.get(path, headers={"Accept": "text/html, */*;q=0.1"})
        assert "nosniff" == response.headers["x-content-type-options"]
        assert "no-referrer" == response.headers["referrer-policy"]
        assert (policy if path in pages else None) == response.headers.get("content-security-policy")
