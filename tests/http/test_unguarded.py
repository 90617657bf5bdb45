"""A service without keys admits only this machine, under any server, unless a setting allows more."""

from typing import Any

import pytest

from domain.ports import Store
from tests.http.access import bearer, new_key
from tests.http.service import Client, serving
from tests.http.steps import asked

pytestmark = pytest.mark.anyio

LOCAL = [("127.0.0.1", 8000), ("127.9.9.9", 80), ("::1", 8000), ("::ffff:127.0.0.1", 1), ("/run/backroom.sock", None)]
PUBLIC = [("192.0.2.1", 8000), ("10.0.0.1", 8000), ("0.0.0.0", 80), ("2001:db8::1", 80), ("shop.example", 80), None]


def reached_at(client: Client, server: object) -> None:
    """Let requests arrive at an address of the service."""
    app = client.service.app

    async def reached(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "server": server}, receive, send)

    client._transport._app = reached  # type: ignore[attr-defined]


@pytest.mark.parametrize("server", LOCAL, ids=str)
async def test_this_machine(client: Client, server: object) -> None:
    """If only this machine can reach the service, it is open."""
    reached_at(client, server)
    assert 200 == (await client.get("/tasks")).status_code


@pytest.mark.parametrize("server", PUBLIC, ids=str)
async def test_others(client: Client, server: object) -> None:
    """If others may reach it, every request gets an error that tells what to do. Health checks pass."""
    reached_at(client, server)
    refused = await client.get("/tasks")
    assert (401, "unauthorized") == asked(refused)
    for way in ("backroom keys create", "BACKROOM_OPEN"):
        assert way in refused.json()["detail"]
    assert 200 == (await client.get("/healthz")).status_code


async def test_with_a_key(client: Client, store: Store) -> None:
    """Once a key exists, a caller with it gets in from anywhere."""
    key = await new_key(store, "admin")
    reached_at(client, PUBLIC[0])
    assert 200 == (await client.get("/tasks", headers=bearer(key))).status_code
    assert (401, "unauthorized") == asked(await client.get("/tasks"))


async def test_where_it_is_allowed(store: Store) -> None:
    """The setting that admits everybody is obeyed."""
    async with serving(store) as client:
        client.service.gate.allow_public = True
        reached_at(client, PUBLIC[0])
        assert 200 == (await client.get("/tasks")).status_code
