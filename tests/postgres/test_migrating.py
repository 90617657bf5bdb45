"""Opening databases: new ones by many processes, newer ones, and unsuitable ones."""

import asyncio
from collections.abc import AsyncIterator
from importlib.resources import files

import asyncpg
import pytest

from adapters.postgres.checking import NOT_DURABLE
from adapters.postgres.errors import Unsuitable
from adapters.postgres.migrating import SchemaTooNew
from adapters.postgres.store import REPLACED
from domain.errors import Unavailable
from domain.task import TASK
from tests.builders import batch, create
from tests.contract.steps import carry_out, fill, trail
from tests.databases import Databases, open_store

pytestmark = pytest.mark.anyio

STEPS = sorted(each.name for each in (files("adapters.postgres") / "migrations").iterdir())


@pytest.fixture
async def blank(postgres: Databases) -> AsyncIterator[str]:
    """Create an empty database."""
    async with postgres.blank() as dsn:
        yield dsn


async def fetch(dsn: str, sql: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def test_many_begin_at_once(blank: str) -> None:
    """Eight processes that open a new database at once create the schema once, and share one log."""
    stores = await asyncio.gather(*(open_store(blank) for _ in range(8)))
    try:
        await asyncio.gather(*(carry_out(store, create(TASK)) for store in stores))
        assert 1 == len({await store.head() for store in stores})
        assert 1 == len({await store.secret() for store in stores})
        assert 8 == len((await stores[0].read(None)).entries)
    finally:
        for store in stores:
            await store.close()
    numbers = [number for (number,) in await fetch(blank, "SELECT number FROM migrations ORDER BY number")]
    assert list(range(1, len(STEPS) + 1)) == numbers
    assert [(1,)] == await fetch(blank, "SELECT count(*) FROM log_names")


@pytest.mark.parametrize("table", ["migrations", "tasks"])
async def test_another_program_was_here_first(blank: str, table: str) -> None:
    """A database with another program's tables is refused with a message, even if names match, and is unchanged."""
    await fetch(blank, f"CREATE TABLE {table} (id integer)")
    with pytest.raises(Unsuitable, match=f'another program: relation "{table}" already exists'):
        await open_store(blank)
    assert [(1,)] == await fetch(blank, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")


async def test_a_step_that_fails_leaves_nothing(blank: str) -> None:
    """A failed migration step is rolled back, and the next opening goes on from there."""
    await fetch(blank, "CREATE TABLE webhooks ()")
    with pytest.raises(Unsuitable):
        await open_store(blank)
    assert [(1,)] == await fetch(blank, "SELECT number FROM migrations")
    assert [(None,)] == await fetch(blank, "SELECT to_regclass('webhooks_ids')")
    await fetch(blank, "DROP TABLE webhooks")
    store = await open_store(blank)
    await fill(store, TASK, {})
    await store.close()


async def test_a_newer_schema_is_refused(blank: str) -> None:
    """A newer schema is left unchanged, and the error names it."""
    await (await open_store(blank)).close()
    await fetch(blank, f"INSERT INTO migrations VALUES ({len(STEPS) + 1})")
    known = f"the store has schema {len(STEPS) + 1}; this version of backroom knows schemas up to {len(STEPS)}"
    with pytest.raises(SchemaTooNew, match=f"^{known}$"):
        await open_store(blank)


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ("DROP TABLE products", 'relation "products" does not exist'),
        ("ALTER TABLE products RENAME COLUMN name_key TO name", 'column "name_key" does not exist'),
        ("DROP SEQUENCE products_ids", 'relation "products_ids" does not exist'),
    ],
)
async def test_an_entity_type_without_its_tables(blank: str, change: str, lacking: str) -> None:
    """Opening the store names what a migration forgot, before anybody writes."""
    await (await open_store(blank)).close()
    await fetch(blank, change)
    with pytest.raises(Unsuitable, match=f"lacks what products need, .*: {lacking}$"):
        await open_store(blank)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE products DROP CONSTRAINT products_sku_taken", "no constraint products_sku_taken"),
        (
            "ALTER TABLE products DROP CONSTRAINT products_sku_taken, ADD CONSTRAINT products_sku_taken UNIQUE (sku)",
            "another constraint products_sku_taken",
        ),
        ("ALTER TABLE tasks DROP CONSTRAINT tasks_pkey", "no constraint tasks_pkey"),
    ],
)
async def test_a_value_that_nothing_keeps_unique(blank: str, change: str, said: str) -> None:
    """A store without a unique constraint is refused by its name, and the SQL in the message repairs it."""
    await (await open_store(blank)).close()
    await fetch(blank, change)
    known = f"^the database has {said}, so that .* could get the same value twice: ALTER TABLE"
    with pytest.raises(Unsuitable, match=known) as found:
        await open_store(blank)
    await fetch(blank, str(found.value).partition(": ")[2])
    await (await open_store(blank)).close()


async def test_an_index_that_was_forgotten(blank: str, caplog: pytest.LogCaptureFixture) -> None:
    """A missing or invalid index is logged and the store opens, because lists are only slow without it."""
    await (await open_store(blank)).close()
    assert [] == caplog.messages
    await fetch(blank, "DROP INDEX products_price_down")
    await fetch(blank, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tasks_due_up'::regclass")
    await (await open_store(blank)).close()
    assert [
        "the database has no index of tasks by due, ascending: lists in that order read the whole table",
        "the database has no index of products by price, descending: lists in that order read the whole table",
    ] == caplog.messages


async def test_a_database_that_keeps_nothing_for_certain(
    postgres: Databases, blank: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that may lose confirmed writes is logged as a warning."""
    await (await open_store(blank)).close()
    assert [] == caplog.messages
    name = blank.split("?", maxsplit=1)[0].rpartition("/")[2]
    await postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await (await open_store(blank)).close()
    assert [NOT_DURABLE] == caplog.messages


async def test_a_database_that_was_replaced(postgres: Databases, blank: str) -> None:
    """A store that reconnects to another database reports it, and refuses everything."""
    said: list[str] = []
    store = await open_store(blank, on_untrustworthy=said.append)
    await fill(store, TASK, {})
    name = blank.split("?", maxsplit=1)[0].rpartition("/")[2]
    await postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await postgres.execute(f"CREATE DATABASE {name}")
    for again in (None, await open_store(blank)):
        with pytest.raises(Unavailable):
            await store.submit(batch(create(TASK)))
        if again is not None:
            assert [] == await trail(again)
            await again.close()
    assert {REPLACED} == set(said)
    await store.close()


async def test_without_the_right_to_install_trigrams(postgres: Databases, blank: str) -> None:
    """Without the right to install the extension, the error asks for its installation, after which opening works."""
    name = blank.split("?", maxsplit=1)[0].rpartition("/")[2]
    await postgres.execute("CREATE ROLE clerk LOGIN")
    await postgres.execute("GRANT CREATE ON SCHEMA public TO clerk", name)
    as_clerk = blank.replace("user=postgres", "user=clerk")
    try:
        with pytest.raises(Unsuitable, match=r"CREATE EXTENSION pg_trgm$"):
            await open_store(as_clerk)
        await postgres.execute("CREATE EXTENSION pg_trgm", name)
        store = await open_store(as_clerk)
        await fill(store, TASK, {})
        await store.close()
    finally:
        await postgres.execute("DROP OWNED BY clerk", name)
        await postgres.execute("DROP ROLE clerk")


async def test_a_server_without_trigrams(postgres: Databases, blank: str) -> None:
    """A server that lacks the extension is refused, and the error names the extension."""
    name = blank.split("?", maxsplit=1)[0].rpartition("/")[2]
    await postgres.execute(f"ALTER DATABASE {name} SET extension_control_path = '/nowhere'")
    with pytest.raises(Unsuitable, match=r"needs the extension pg_trgm;"):
        await open_store(blank)
    assert [(0,)] == await fetch(blank, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")


async def test_trigrams_out_of_reach(postgres: Databases, blank: str) -> None:
    """An extension in a schema that is not searched is named, with what brings it into reach."""
    name = blank.split("?", maxsplit=1)[0].rpartition("/")[2]
    await postgres.execute("CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions", name)
    with pytest.raises(Unsuitable, match=r"pg_trgm is in the schema extensions") as found:
        await open_store(blank)
    await postgres.execute(str(found.value).rpartition(": ")[2], name)
    await (await open_store(blank)).close()


async def test_another_encoding_is_refused(postgres: Databases) -> None:
    """A database whose encoding is not UTF8 is refused."""
    await postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
    with pytest.raises(Unsuitable, match=r"UTF8, and this one has LATIN1$"):
        await open_store(postgres.server.dsn("latin"))
    await postgres.execute("DROP DATABASE latin")


async def test_without_a_server() -> None:
    """Opening a store on a server that does not answer raises `Unavailable`."""
    with pytest.raises(Unavailable):
        await open_store("postgresql:///backroom?host=/nowhere")
