"""A primary that dies under load, with a standby that has everything: nothing that was answered is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from backroom.adapters.postgres.store import PostgresStore
from backroom.domain.decisions import Done, Outcome
from backroom.domain.errors import Unavailable
from backroom.domain.ports import Store
from backroom.domain.queries import Query
from backroom.domain.task import TASK
from tests.builders import create, submission
from tests.contract.steps import fill, walk, whole_log
from tests.databases import open_store
from tests.postgres_server import Server, directories

pytestmark = pytest.mark.anyio

WRITERS = 8


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    """Run a primary that answers only once its standby has what is written, and the standby."""
    with directories(2) as [primary, standby]:
        primary.initialise()
        primary.start(max_wal_senders="4", synchronous_standby_names="*")
        standby.follow(primary)
        standby.start(synchronous_standby_names="", wal_retrieve_retry_interval="50ms")
        yield primary, standby


@pytest.fixture
async def store(pair: tuple[Server, Server]) -> AsyncIterator[PostgresStore]:
    """Open a store that knows both."""
    primary, standby = pair
    store = await open_store(f"postgresql:///postgres?user=postgres&host={primary.directory},{standby.directory}")
    yield store
    await store.close()


async def write(store: Store, writer: int, answered: dict[int, str], served: asyncio.Queue[int]) -> list[type]:
    """Make tasks until the store has been unavailable and is there again; return what went wrong meanwhile."""
    failures: list[type] = []
    number = 0
    while True:
        number += 1
        title = f"{writer}-{number}"
        try:
            answer = await store.submit(submission(create(TASK, title=title)))
        except Unavailable as error:
            failures.append(type(error))
            await asyncio.sleep(0.01)  # what `Retry-After` asks of a client, in small
            continue
        assert isinstance(answer, Outcome)
        (done,) = answer.results
        assert isinstance(done, Done)
        answered[done.record.id] = title
        served.put_nowait(writer)
        if failures:
            return failures


async def told(store: Store) -> None:
    """Return once a reader has been told that the store is unavailable."""
    with suppress(Unavailable):
        while True:
            await store.get(TASK, 1)


async def test_the_primary_dies_under_load(pair: tuple[Server, Server], store: PostgresStore) -> None:
    """Callers are told that it is unavailable; once the standby is promoted the same store serves them again."""
    primary, standby = pair
    await fill(store, TASK, {"title": "before"})
    start = await store.head()
    answered: dict[int, str] = {}
    served: asyncio.Queue[int] = asyncio.Queue()
    watching = asyncio.create_task(store.watch(start))
    writers = [asyncio.create_task(write(store, each, answered, served)) for each in range(WRITERS)]
    for _ in range(50 * WRITERS):
        await served.get()
    await watching
    primary.kill()
    await told(store)
    await asyncio.to_thread(standby.promote)
    failures = await asyncio.gather(*writers)
    assert {Unavailable} == {each for one in failures for each in one}
    kept = {each.id: each.title for each in await walk(store, Query(kind=TASK, limit=1000))}
    assert answered.items() <= kept.items()
    assert kept.keys() - {1} == {entry.change.record.id for entry in await whole_log(store, start)}
