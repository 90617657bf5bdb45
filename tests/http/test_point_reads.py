"""One entity is read while its reader's key is looked up, and shown only to those who may see it."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from attrs import define, field

from domain.access.access_key import Grant
from domain.access.ports import AccessKeys
from domain.ports import Store
from domain.task import TASK
from tests.http.access import bearer, new_key
from tests.http.service import Client, serving
from tests.http.steps import asked, made

pytestmark = pytest.mark.anyio


@define(eq=False)
class Together:
    """A store that reads an entity only once a key is looked up, and answers the look-up only once it has read."""

    store: Store
    looked_up: asyncio.Event = field(factory=asyncio.Event, init=False)
    read: asyncio.Event = field(factory=asyncio.Event, init=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def get(self, *args: Any) -> Any:
        """Read an entity."""
        await self.looked_up.wait()
        self.read.set()
        return await self.store.get(*args)

    def look_up(self, hash: bytes | None) -> Awaitable[Grant | None]:
        """Look a key up."""
        self.looked_up.set()
        return self._look_up(self.store.access_keys, hash)

    async def _look_up(self, keys: AccessKeys, hash: bytes | None) -> Grant | None:
        await self.read.wait()
        return await keys.look_up(hash)


async def test_both_are_asked_for_at_once(store: Store) -> None:
    """The entity and the key need one round trip to the store."""
    key = await new_key(store, "read")
    together: Any = Together(store)
    async with serving(together) as client:
        client.service.gate.keys = together
        async with asyncio.timeout(60):
            assert (404, "not_found") == asked(await client.get("/tasks/1", headers=bearer(key)))


@pytest.mark.parametrize("target", ["/tasks/1", "/tasks/2", "/tasks/x", "/tasks/1?x=1", "/products/1"])
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": '"1"'}, {"Accept": "text/html"}])
async def test_nothing_is_told(client: Client, store: Store, target: str, headers: dict[str, str]) -> None:
    """Without a key one gets the same answer for what exists, for what does not, and for what is no question."""
    await made(client, "tasks")
    await new_key(store)
    plain = await client.get("/changes")
    refused = await client.get(target, headers=headers)
    assert (401, "unauthorized") == asked(refused)
    told = [
        {name: value for name, value in each.headers.items() if name != "x-request-id"} for each in (plain, refused)
    ]
    assert told[0].keys() == told[1].keys()
    assert plain.json()["detail"] == refused.json()["detail"]
    assert await store.get(TASK, 1) is not None
