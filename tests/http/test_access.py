"""Access: which operation needs which scope, and who may do what."""

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest

from adapters.http.routes.router import Router
from domain.access.access_key import Actor
from domain.access.rate_limit import Quota, RateLimiter, Verdict
from domain.ports import Store
from domain.public_types import PUBLIC_TYPES
from tests.builders import Clock
from tests.http.access import UNKNOWN, bearer, callers, new_key, session
from tests.http.service import Client, serving
from tests.http.steps import MINIMAL, asked, got, made
from tests.http.test_streams import check_refused, socket
from tests.http.transport import connected

pytestmark = pytest.mark.anyio

SCOPES = {
    None: """GET / | GET /healthz | GET /readyz | GET /openapi.json | GET /docs | GET /problems/{code} | GET /app/
        | GET /app/{view} | GET /app | GET /docs/ | POST /session | GET /calendars/{secret}.ics""",
    "read": """GET /changes | GET /changes/stream | GET /ws | WEBSOCKET /ws | GET /session | DELETE /session
        | GET /calendars | GET /calendars/{id}""",
    "write": "POST /products/{id}/stock | POST /calendars | DELETE /calendars/{id}",
    "admin": """GET /keys | POST /keys | DELETE /keys/{id} | POST /keys/{id}/rotate | GET /webhooks | POST /webhooks
        | GET /webhooks/{id} | PUT /webhooks/{id} | PATCH /webhooks/{id} | DELETE /webhooks/{id}
        | POST /webhooks/{id}/restore | GET /webhooks/{id}/history | POST /webhooks/{id}/test
        | POST /webhooks/{id}/rotate | GET /webhooks/{id}/deliveries
        | POST /webhooks/{id}/deliveries/{delivery_id}/retry | GET /metrics""",
}
OF_EACH_PUBLIC_TYPE = {
    "read": "GET /things | GET /things/{id} | GET /things/{id}/history",
    "write": """POST /things | PUT /things/{id} | PATCH /things/{id} | DELETE /things/{id} | POST /things/{id}/restore
        | POST /things/bulk | POST /things/import""",
}
LINES = [*SCOPES.items()]
LINES += [
    (scope, line.replace("things", each.collection))
    for each in PUBLIC_TYPES
    for scope, line in OF_EACH_PUBLIC_TYPE.items()
]
EXPECTED = {re.sub(r"\s+", " ", each).strip(): scope for scope, line in LINES for each in line.split("|")}
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
                await check_refused(opened, 401, "unauthorized")


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
