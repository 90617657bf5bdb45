"""Requests with large bodies are worked on one by one, and small ones do not wait for them."""

import asyncio
from typing import Any

import pytest

from adapters.http.fairness.capacity import Capacity
from adapters.http.fairness.heavy_work import HEAVY_BYTES
from domain.ports import Store
from tests.feed.steps import until
from tests.http.service import Client
from tests.http.steps import asked

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

LARGE = {"operations": [{"op": "create", "body": {"title": "x", "notes": "n" * 1000}}] * (HEAVY_BYTES // 1000)}


@pytest.fixture
def held(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], asyncio.Event]:
    """Hold large batches in the store, and note how many came there."""
    there, go, submit = list[int](), asyncio.Event(), store.submit

    async def waiting(batch: Any) -> Any:
        if len(batch.commands) > 1:
            there.append(len(batch.commands))
            await go.wait()
        return await submit(batch)

    monkeypatch.setattr(store, "submit", waiting)
    return there, go


async def test_one_by_one(client: Client, capacity: Capacity, held: tuple[list[int], asyncio.Event]) -> None:
    """A second large request is not even parsed before the first is answered. A small one passes both."""
    there, go = held
    first, second = (asyncio.create_task(client.post("/tasks/bulk", json=LARGE)) for _ in range(2))
    await until(lambda: capacity.at_work.taken == 2 and bool(there))

    assert 201 == (await client.post("/tasks", json={"title": "Small"})).status_code
    assert 1 == len(there)
    go.set()
    assert [200, 200] == [each.status_code for each in await asyncio.gather(first, second)]
    assert 2 == len(there)


async def test_refused_and_abandoned(client: Client, capacity: Capacity, held: tuple[list[int], asyncio.Event]) -> None:
    """Neither a request that is refused nor one whose client leaves keeps others waiting."""
    there, go = held
    headers = {"Content-Type": "application/json"}
    refused = await client.post("/tasks", content=b"[" * (HEAVY_BYTES + 1), headers=headers)
    assert (400, "malformed_json") == asked(refused)
    leaving, waiting = (asyncio.create_task(client.post("/tasks/bulk", json=LARGE)) for _ in range(2))
    await until(lambda: capacity.at_work.taken == 2 and bool(there))
    waiting.cancel()
    await asyncio.wait({waiting})
    leaving.cancel()
    await asyncio.wait({leaving})
    go.set()

    assert 200 == (await client.post("/tasks/bulk", json=LARGE)).status_code
