"""A primary dies under load, and its synchronous standby takes over: no acknowledged write is lost."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from attrs import define, field

from tests.e2e.service import running
from tests.postgres_server import Server, directories

pytestmark = pytest.mark.anyio

WRITERS = 8
BEFORE = 50  # tasks of each writer
LAST = "last"


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    """Run a primary that commits only once its standby has the write, and that standby."""
    with directories(2) as [primary, standby]:
        primary.initialise()
        primary.start(max_wal_senders="4", synchronous_standby_names="*")
        standby.follow(primary)
        standby.start(synchronous_standby_names="", wal_retrieve_retry_interval="50ms")
        yield primary, standby


@pytest.fixture
async def client(pair: tuple[Server, Server], tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """Run a service that knows both servers, and yield a client."""
    hosts = ",".join(str(each.directory) for each in pair)
    store = f"postgresql:///postgres?user=postgres&host={hosts}&target_session_attrs=read-write"
    with running(tmp_path, store=store) as service:
        async with httpx2.AsyncClient(base_url=service.url, timeout=60) as client:
            yield client


@asynccontextmanager
async def receiving_nothing(standby: Server, primary: Server) -> AsyncIterator[None]:
    """Stop a standby from receiving once a commit waits for it, so that no write in flight is acknowledged."""
    watching = await asyncpg.connect(standby.dsn())
    receiver = await watching.fetchval("SELECT pid FROM pg_stat_wal_receiver")
    await watching.close()
    watching = await asyncpg.connect(primary.dsn())
    os.kill(receiver, signal.SIGSTOP)
    try:
        while not await watching.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"):
            pass
        yield
    finally:
        os.kill(receiver, signal.SIGCONT)
    watching.terminate()


@define
class Load:
    """Writers that create one task after the other, and repeat refused requests until they succeed."""

    client: httpx2.AsyncClient
    answered: dict[int, str] = field(factory=dict)
    refused: asyncio.Event = field(factory=asyncio.Event)
    enough: asyncio.Event = field(factory=asyncio.Event)

    async def write(self, writer: int) -> None:
        """Create tasks until one was refused and then succeeded."""
        number = 0
        while not await self.make(f"{writer}-{number}"):
            number += 1
            if len(self.answered) >= WRITERS * BEFORE:
                self.enough.set()

    async def make(self, title: str) -> int:
        """Create a task; return how often it was refused. Any unexpected refusal raises."""
        refusals = 0
        while True:
            answer = await self.client.post("/tasks", json={"title": title}, headers={"Idempotency-Key": title})
            if answer.status_code == 201:
                self.answered[answer.json()["id"]] = title
                return refusals
            assert 503 == answer.status_code, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            refusals += 1
            self.refused.set()
            await asyncio.sleep(0.01)  # a short form of `Retry-After`


async def follow(client: httpx2.AsyncClient, cursor: str) -> list[Any]:
    """Read an event stream up to the last task, as a browser does: reconnect where it ends."""
    told: list[Any] = []
    while True:
        async with client.stream("GET", "/changes/stream", headers={"Last-Event-ID": cursor}) as stream:
            async for line in stream.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    cursor = value
                if name == "data":
                    told.append(json.loads(value))
                    if told[-1]["data"]["title"] == LAST:
                        return told
        await asyncio.sleep(0.01)


async def log(client: httpx2.AsyncClient, url: str) -> list[Any]:
    """Return the changes from one URL of the log to the end."""
    changes: list[Any] = []
    while True:
        answer = (await client.get(url)).json()
        if not answer["changes"]:
            return changes
        changes += answer["changes"]
        url = f"/changes?after={answer['cursor']}"


async def tasks(client: httpx2.AsyncClient) -> tuple[dict[int, str], str]:
    """Return the title of every task, and the URL from which to follow the list."""
    found: dict[int, str] = {}
    url, changes = "/tasks?limit=1000", ""
    while url:
        page = (await client.get(url)).json()
        found |= {task["id"]: task["title"] for task in page["tasks"]}
        url, changes = page["next"], changes or page["changes"]
    return found, changes


async def test_the_primary_dies_under_load(pair: tuple[Server, Server], client: httpx2.AsyncClient) -> None:
    """Clients are told to retry, and once the standby is promoted, the same service goes on."""
    primary, standby = pair
    start = (await client.get("/changes?after=now")).json()["cursor"]
    load = Load(client)
    following = asyncio.create_task(follow(client, start))
    writers = [asyncio.create_task(load.write(each)) for each in range(WRITERS)]
    await load.enough.wait()
    listed, changes = await tasks(client)
    async with receiving_nothing(standby, primary):
        primary.kill()
        await load.refused.wait()
    await asyncio.to_thread(standby.promote)
    await asyncio.gather(*writers)
    await load.make(LAST)

    kept, _ = await tasks(client)
    assert load.answered == kept  # all of them, and none twice
    whole = await log(client, f"/changes?after={start}")
    assert kept == {each["id"]: each["data"]["title"] for each in whole}
    assert len(kept) == len(whole)
    assert whole == await following
    assert kept.keys() - listed.keys() == {each["id"] for each in await log(client, changes)}
