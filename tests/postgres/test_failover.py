"""Servers of a replicated cluster die under load: no acknowledged write is lost."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import count
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
MANY = WRITERS * 20
LAST = "last"
QUORUM = "ANY 1 (s0, s1, s2)"
_STOPPED = "SELECT pg_last_wal_receive_lsn() - '0/0' WHERE NOT EXISTS (SELECT FROM pg_stat_wal_receiver)"


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    """Run a primary that commits only once its standby has the write, and that standby."""
    with directories(2) as [primary, standby]:
        primary.initialise()
        primary.start(max_wal_senders="4", synchronous_standby_names="*")
        standby.follow(primary)
        standby.start(synchronous_standby_names="", wal_retrieve_retry_interval="50ms")
        yield primary, standby


@define
class Member:
    """A server of a cluster of three, each of which may be the primary of the others."""

    server: Server
    name: str

    def start(self) -> None:
        """Start it under its name."""
        self.server.start(
            cluster_name=self.name,
            synchronous_standby_names=QUORUM,
            max_wal_senders="4",
            wal_keep_size="256MB",
            wal_retrieve_retry_interval="50ms",
        )


@pytest.fixture
def trio() -> Iterator[list[Member]]:
    """Run a primary that commits only once any of its two standbys has the write, and these."""
    with directories(3) as servers:
        members = [Member(server, f"s{number}") for number, server in enumerate(servers)]
        primary, *standbys = members
        primary.server.initialise()
        primary.start()
        for each in standbys:
            each.server.follow(primary.server)
            each.start()
        yield members


@asynccontextmanager
async def served_by(servers: Iterable[Server], folder: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """Run a service that knows these servers, and yield a client."""
    hosts = ",".join(str(each.directory) for each in servers)
    store = f"postgresql:///postgres?user=postgres&host={hosts}&target_session_attrs=read-write"
    with running(folder, store=store) as service:
        async with httpx2.AsyncClient(base_url=service.url, timeout=60) as client:
            yield client


async def ask(server: Server, *statements: str) -> Any:
    """Return the value of the last of some statements."""
    connection = await asyncpg.connect(server.dsn())
    try:
        return [await connection.fetchval(each) for each in statements][-1]
    finally:
        connection.terminate()


async def until(server: Server, question: str) -> Any:
    """Ask until there is an answer that is true."""
    while not (answer := await ask(server, question)):
        pass
    return answer


@asynccontextmanager
async def receiving_nothing(standby: Server) -> AsyncIterator[None]:
    """Stop a standby from receiving."""
    receiver = await ask(standby, "SELECT pid FROM pg_stat_wal_receiver")
    os.kill(receiver, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(receiver, signal.SIGCONT)


@define
class Load:
    """Writers that create one task after the other, and repeat refused requests until they succeed."""

    client: httpx2.AsyncClient
    answered: dict[int, str] = field(factory=dict)
    refusals: int = 0
    refused: asyncio.Event = field(factory=asyncio.Event)
    ending: bool = False
    _progress: asyncio.Condition = field(factory=asyncio.Condition)

    async def write(self, writer: int) -> None:
        """Create tasks until the end."""
        numbers = count()
        while not self.ending:
            await self.make(f"{writer}-{next(numbers)}")

    async def make(self, title: str) -> None:
        """Create a task. Any unexpected refusal raises."""
        while True:
            answer = await self.client.post("/tasks", json={"title": title}, headers={"Idempotency-Key": title})
            if answer.status_code == 201:
                break
            assert 503 == answer.status_code, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            self.refusals += 1
            self.refused.set()
            await asyncio.sleep(0.01)  # a short form of `Retry-After`
        self.answered[answer.json()["id"]] = title
        async with self._progress:
            self._progress.notify_all()

    async def more(self) -> None:
        """Return when many more tasks were created."""
        enough = len(self.answered) + MANY
        async with self._progress:
            await self._progress.wait_for(lambda: len(self.answered) >= enough)


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


async def test_the_primary_dies_under_load(pair: tuple[Server, Server], tmp_path: Path) -> None:
    """Clients are told to retry, and once the standby is promoted, the same service goes on."""
    primary, standby = pair
    async with served_by(pair, tmp_path) as client:
        start = (await client.get("/changes?after=now")).json()["cursor"]
        load = Load(client)
        following = asyncio.create_task(follow(client, start))
        writers = [asyncio.create_task(load.write(each)) for each in range(WRITERS)]
        await load.more()
        listed, changes = await tasks(client)
        async with receiving_nothing(standby):  # no write in flight is acknowledged
            await until(primary, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            primary.kill()
            await load.refused.wait()
        await asyncio.to_thread(standby.promote)
        await load.more()
        load.ending = True
        await asyncio.gather(*writers)
        await load.make(LAST)

        kept, _ = await tasks(client)
        assert load.answered == kept  # all of them, and none twice
        whole = await log(client, f"/changes?after={start}")
        assert kept == {each["id"]: each["data"]["title"] for each in whole}
        assert len(kept) == len(whole)
        assert whole == await following
        assert kept.keys() - listed.keys() == {each["id"] for each in await log(client, changes)}


async def test_any_one_of_three_dies_under_load(trio: list[Member], tmp_path: Path) -> None:
    """Without a standby nobody is refused; without the primary all goes on with the standby that has the most."""
    primary, *standbys = trio
    async with served_by((each.server for each in trio), tmp_path) as client:
        load = Load(client)
        writers = [asyncio.create_task(load.write(each)) for each in range(WRITERS)]
        for each in standbys:
            await load.more()
            each.server.kill()
            await load.more()
            each.start()
            seen = f"SELECT count(*) FROM pg_stat_replication WHERE application_name = '{each.name}'"
            await until(primary.server, f"{seen} AND sync_state = 'quorum' AND state = 'streaming'")
        assert 0 == load.refusals

        async with receiving_nothing(standbys[1].server):  # the other one alone decides what is acknowledged
            await load.more()
            primary.server.kill()
            await load.refused.wait()
        has = {each.name: await until(each.server, _STOPPED) for each in standbys}
        behind, ahead = sorted(standbys, key=lambda each: has[each.name])
        await asyncio.to_thread(ahead.server.promote)
        follow_it = f"ALTER SYSTEM SET primary_conninfo = 'user=postgres host={ahead.server.directory}'"
        await ask(behind.server, follow_it, "SELECT pg_reload_conf()")
        await load.more()
        load.ending = True
        await asyncio.gather(*writers)
        kept, _ = await tasks(client)
        assert load.answered == kept
        await until(behind.server, f"SELECT count(*) = {len(kept)} FROM tasks")
