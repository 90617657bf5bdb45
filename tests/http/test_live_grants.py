"""Followers go when their key does."""

import asyncio
from datetime import timedelta

import pytest

from adapters.http.admission import live_grants
from domain.access.key_ring import RevokeKey
from domain.ports import Store
from tests.builders import Clock
from tests.http.access import bearer, new_key, session
from tests.http.service import Client
from tests.http.steps import MINIMAL, a_turn, asked
from tests.http.test_streams import events, socket

pytestmark = pytest.mark.anyio


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
