"""Broken and exhausted connections, and read-only servers: all recover by themselves."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from adapters.postgres import committer, connections, notifier
from adapters.postgres import store as module
from adapters.postgres.store import PostgresStore
from adapters.postgres.transaction import LARGE
from domain.errors import Unavailable
from domain.queries import Query
from domain.task import TASK
from tests.builders import NOON, batch, create
from tests.contract.steps import carry_out, edit, fill, trail
from tests.databases import SHARED, Databases, open_store
from tests.postgres.transactions import Open, blocked
from tests.postgres_server import Server, running

pytestmark = pytest.mark.anyio

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server that a test may break."""
    with running() as server:
        yield server


@pytest.fixture
async def away(server: Server) -> AsyncIterator[PostgresStore]:
    """Open a store on that server."""
    store = await open_store(server.dsn())
    yield store
    await store.close()


async def test_a_server_that_is_gone_and_comes_back(away: PostgresStore, server: Server) -> None:
    """During an outage every call is `Unavailable`; afterwards the open store works again."""
    await fill(away, TASK, {})
    server.stop("immediate")
    for call in (
        away.get(TASK, 1),
        away.page(Query(entity_type=TASK)),
        away.submit(batch(create(TASK))),
        away.read(None),
        away.ping(),
        away.purge(NOON, changes_before=NOON),
        away.deliveries.progress(1),
        away.deliveries.backlogs(),
    ):
        with pytest.raises(Unavailable):
            await call
    server.start()
    await away.ping()
    await carry_out(away, edit(TASK, 1, notes="x"))
    assert [("task.created", 1, 1), ("task.updated", 1, 2)] == await trail(away)


async def test_a_probe_writes(store: PostgresStore, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Each ping writes in a transaction of its own."""
    written = []
    for _ in range(2):
        await store.ping()
        written.append(await connection.fetchval("SELECT xmin::text FROM secrets"))
    assert 2 == len(set(written))


async def test_connections_that_are_cut(store: PostgresStore, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """When all idle connections are lost, at most one caller gets an error."""
    await fill(store, TASK, {})
    await asyncio.gather(*(store.ping() for _ in range(5)))
    cut = await connection.fetch(f"SELECT pg_terminate_backend(pid, 5000) {OTHERS}")
    assert 5 <= len(cut)
    failures = 0
    for _ in range(10):
        try:
            await store.ping()
        except Unavailable:
            failures += 1
    assert 1 >= failures
    assert 5 == len(await asyncio.gather(*(store.ping() for _ in range(5))))


async def test_a_write_that_is_cut(
    store: PostgresStore, slow: Open, connection: "asyncpg.Connection[asyncpg.Record]", dsn: str
) -> None:
    """A write whose connection breaks gets an error at once, and is not tried again."""
    await fill(store, TASK, {})
    await slow.carry_out(edit(TASK, 1, notes="slow"))
    writing = asyncio.create_task(store.submit(batch(edit(TASK, 1, notes="cut"))))
    watching = await asyncpg.connect(dsn)
    await blocked(watching, 1)
    await watching.execute(f"SELECT pg_terminate_backend(pid) {OTHERS} AND wait_event_type = 'Lock'")
    with pytest.raises(Unavailable):
        await writing
    await slow.commit()
    assert 2 == len(await trail(store))
    await watching.close()


async def test_slow_searches_leave_connections_for_others(
    dsn: str, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Searches take half of the connections at most; further ones get an error after a time limit, and no one else."""
    await fill(store, TASK, {})
    small = await open_store(f"{dsn}&pool_size=2")
    await asyncio.gather(small.ping(), small.ping())  # so that there are two connections, and none has to be opened
    go, slow = asyncio.Event(), asyncio.Event()

    async def slowly(*_: object) -> None:
        assert go.is_set() or not slow.is_set(), "a second search got a connection"
        slow.set()
        await go.wait()

    monkeypatch.setattr(module, "read_page", slowly)
    search = Query(entity_type=TASK, search="a")
    searching = asyncio.create_task(small.page(search))
    await slow.wait()
    with monkeypatch.context() as short_timeouts:
        short_timeouts.setattr(connections, "WAIT_S", 0.05)
        with pytest.raises(Unavailable):
            await small.page(search)
    assert await small.get(TASK, 1) is not None
    go.set()
    await searching
    await small.page(search)
    await small.close()


async def test_search_that_takes_too_long(store: PostgresStore) -> None:
    """A statement that is given up for its time costs others no connection."""
    async with store._connections.use() as connection:
        before = connection.get_server_pid()

    with pytest.raises(Unavailable):
        async with store._connections.use_for_long() as connection:
            await connection.execute("SELECT pg_sleep(60)", timeout=0.05)

    async with store._connections.use() as connection:
        assert before == connection.get_server_pid()


async def test_all_connections_taken(
    store: PostgresStore, slow: Open, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a free connection a caller gets an error after a time limit; with one, calls succeed again."""
    await fill(store, TASK, {})
    small = await open_store(f"{dsn}&pool_size=1")
    await slow.carry_out(edit(TASK, 1, notes="slow"))
    writing = asyncio.create_task(small.submit(batch(edit(TASK, 1, title="B"))))
    watching = await asyncpg.connect(dsn)
    await blocked(watching, 1)
    with monkeypatch.context() as short_timeouts:
        short_timeouts.setattr(connections, "WAIT_S", 0.05)
        with pytest.raises(Unavailable):
            await small.get(TASK, 1)
    await slow.commit()
    await writing
    assert await small.get(TASK, 1) is not None
    await watching.close()
    await small.close()


@pytest.mark.parametrize("commands", [1, LARGE])
async def test_whose_turn_comes_too_late(store: PostgresStore, monkeypatch: pytest.MonkeyPatch, commands: int) -> None:
    """A batch that has waited too long, in a group or alone, is refused and not begun."""
    await fill(store, TASK, {})
    with monkeypatch.context() as short_timeouts:
        short_timeouts.setattr(committer, "TIMEOUT_S", -1)
        with pytest.raises(Unavailable):
            await store.submit(batch(*(create(TASK) for _ in range(commands))))
    await fill(store, TASK, {})
    assert [1, 2] == [id for _, id, _ in await trail(store)]


async def test_a_server_that_became_a_standby(store: PostgresStore, postgres: Databases) -> None:
    """A read-only connection and the rest of the pool are replaced until one may write."""
    await fill(store, TASK, {})
    read_only = f"ALTER DATABASE {SHARED} SET default_transaction_read_only"
    await postgres.execute(f"{read_only} = on")
    await store._connections._pool.expire_connections()
    try:
        for _ in range(2):
            with pytest.raises(Unavailable):
                await store.submit(batch(create(TASK)))
    finally:
        await postgres.execute(f"SET default_transaction_read_only = off; {read_only} = off")
    await fill(store, TASK, {})
    assert 2 == len(await trail(store))


@pytest.mark.parametrize("silent", [1, 3])
async def test_hosts_that_are_silent(
    postgres: Databases, dsn: str, monkeypatch: pytest.MonkeyPatch, silent: int
) -> None:
    """Hosts that say nothing, as lost machines do, hide no other host; then the right one is tried first."""
    for limit in ("CONNECT_S", "WAIT_S"):  # a host's share of the usual time is a second, and the right one may be busy
        monkeypatch.setattr(connections, limit, 60)
    asked: list[asyncio.StreamWriter] = []

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        hosts = ["127.0.0.1"] * silent + [str(postgres.server.directory)]
        ports = ",".join([str(port)] * silent + ["5432"])
        store = await open_store(f"postgresql:///{SHARED}?user=postgres&host={','.join(hosts)}&port={ports}")
        assert silent == len(asked)
        await asyncio.gather(*(store.ping() for _ in range(5)))
        assert silent == len(asked)
        await store.close()
        for writer in asked:
            writer.close()


async def test_an_answer_that_never_comes(
    store: PostgresStore, slow: Open, monkeypatch: pytest.MonkeyPatch, dsn: str
) -> None:
    """A command that takes too long is cancelled."""
    monkeypatch.setattr(connections, "COMMAND_S", 3)  # long enough to open a store, and for the last command
    hasty = await open_store(dsn)
    await slow.connection.execute("BEGIN; LOCK TABLE tasks")
    with pytest.raises(Unavailable):
        await hasty.get(TASK, 1)
    await slow.connection.execute("ROLLBACK")
    assert await hasty.get(TASK, 1) is None
    await hasty.close()


async def test_a_notification_that_is_lost(store: PostgresStore, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiting reader finds a write of another process without a notification, by its own regular looks."""
    monkeypatch.setattr(notifier, "LOOK_AGAIN_S", 0.02)
    other = await open_store(dsn)
    monkeypatch.setattr(other._notifier, "notify", lambda: None)
    watching = asyncio.create_task(store.wait_for_changes(await store.head()))
    await fill(other, TASK, {})
    woken, _ = await asyncio.wait({watching}, timeout=10)
    assert {watching} == woken
    await other.close()


async def test_a_bell_that_is_cut_off(
    store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A waiting reader hears other processes again after its listening connection was lost."""
    monkeypatch.setattr(notifier, "LOOK_AGAIN_S", 0.02)
    other = await open_store(dsn)
    listening = f"{OTHERS} AND query LIKE 'LISTEN%'"
    while await connection.fetchval(f"SELECT count(*) {listening}"):
        pass  # the server has yet to notice that an earlier store was closed
    watching = asyncio.create_task(store.wait_for_changes(await store.head()))
    while not await connection.fetchval(f"SELECT count(*) {listening}"):
        pass
    (first,) = await connection.fetch(f"SELECT pid, pg_terminate_backend(pid) {listening}")
    while await connection.fetchval(f"SELECT count(*) {listening} AND pid <> $1", first["pid"]) == 0:
        pass
    monkeypatch.setattr(notifier, "LOOK_AGAIN_S", 3600)
    assert not watching.done()
    await fill(other, TASK, {})
    await watching
    await other.close()


async def test_only_the_bell_is_needed(store: PostgresStore, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process wakes a listening reader before its next regular look."""
    monkeypatch.setattr(notifier, "LOOK_AGAIN_S", 3600)
    other = await open_store(dsn)
    head = await store.head()
    watching = asyncio.create_task(store.wait_for_changes(head))
    await fill(other, TASK, {})
    await watching
    assert 1 == len(await trail(store, head))
    await other.close()
