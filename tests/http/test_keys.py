"""Making, listing, rotating and revoking keys."""

from datetime import timedelta
from typing import Any

import pytest

from domain.access.key_text import is_key
from domain.ports import Store
from tests.builders import Clock
from tests.http.access import UNKNOWN, bearer, new_key
from tests.http.service import Client, serving
from tests.http.steps import asked

pytestmark = pytest.mark.anyio


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
