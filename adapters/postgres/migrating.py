"""Migrating a database, and reading the name of its log."""

import secrets
from contextlib import suppress
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import asyncpg

from adapters.postgres.connections import Connection, connect
from adapters.postgres.errors import Unsuitable, explaining
from adapters.postgres.log import NEWEST
from domain.cursor_codec import CursorCodec
from domain.snapshot import InUse, SchemaTooOld

OLDEST_SERVER = 14
_LOCK = "SELECT FROM migrations WHERE number = 1 FOR UPDATE"
"""Takes the lock for writing the schema and the names."""

# The home of a log is its cluster, database and table. A copy has another home. A promoted standby and a cluster
# restored in place have the same home.
_HOME = (
    "(SELECT concat_ws('/', system_identifier, pg_database.oid, 'changes'::regclass::oid)"
    " FROM pg_control_system(), pg_database WHERE datname = current_database())"
)


_EPOCH = "(SELECT max(epoch) FROM log_names)"

# Each session of a store shares this advisory lock. So it is found by the table that it uses, whatever its URL says.
# Nothing else relies on such locks.
_STORE = "hashtextextended('backroom ' || 'changes'::regclass::oid, 0)"
_SHARE = f"SELECT pg_advisory_lock_shared({_STORE})"
_SHARING = f"""
SELECT EXISTS (
    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database AND datname = current_database()
    WHERE locktype = 'advisory' AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = {_STORE}
)
"""

_OURS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
AND application_name = current_setting('application_name')
"""

_HIDDEN_TRIGRAMS = """
SELECT extnamespace::regnamespace, current_schema() FROM pg_extension WHERE extname = 'pg_trgm' AND NOT EXISTS
(SELECT FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND opcnamespace = extnamespace AND pg_opclass_is_visible(oid))
"""

_MISSING = (
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedTableError,
    asyncpg.FeatureNotSupportedError,
    asyncpg.InsufficientPrivilegeError,
)


class SchemaTooNew(Exception):
    """The database was written by a newer version of this program."""


async def migrate(connection: Connection) -> None:
    """Migrate the schema, each step in its own transaction. Any number of processes may do this at once.

    Raises `SchemaTooNew` and `Unsuitable`.
    """
    await _check_server(connection)
    steps = _steps()
    while (version := await schema_version(connection)) < len(steps):
        try:
            async with connection.transaction(isolation="read_committed"):
                await _migrate_from(connection, version, steps[version])
        except asyncpg.DuplicateTableError as error:
            if await schema_version(connection) == version:
                raise Unsuitable(f"the schema has a table of another program: {error}") from None
        except asyncpg.UniqueViolationError as error:
            if error.schema_name != "pg_catalog":
                raise
            # another process has just made the same extension or table
    await _check_not_newer(connection)


async def _migrate_from(connection: Connection, version: int, step: Traversable) -> None:
    """Carry out one step in the open transaction, unless another process was faster.

    The first step has nothing to lock. It makes tables that others cannot make, too: they wait, and fail.
    """
    if version:
        await connection.execute(_LOCK)
        if await schema_version(connection) != version:
            return
    await _need_trigrams(connection)
    await connection.execute(step.read_text())
    await connection.execute("INSERT INTO migrations VALUES ($1)", version + 1)


async def check_schema(connection: Connection) -> None:
    """Check that the schema is up to date; change nothing.

    Raises `Unsuitable` where there is none, `SchemaTooOld` and `SchemaTooNew`.
    """
    await _check_not_newer(connection)
    version, newest = await schema_version(connection), len(_steps())
    if version == 0:
        raise Unsuitable("the database holds no store")
    if version < newest:
        raise SchemaTooOld(
            f"the store has schema {version}, and this version of backroom needs {newest}: let it serve the store once"
        )


async def is_migrated(connection: Connection) -> bool:
    """Return whether there is a schema, of any version."""
    return await schema_version(connection) > 0


async def cursor_codec_of_log(connection: Connection) -> CursorCodec:
    """Return the codec of cursors. If the log has no name in its present home, name it first.

    Changes up to now are the same under the old name; later ones, here and in the original, differ.
    """
    if not await at_home(connection):
        async with connection.transaction(isolation="read_committed"):
            await connection.execute(_LOCK)
            if not await at_home(connection):
                await _give_name(connection)
    return await known_codec(connection)


async def share(connection: Connection) -> None:
    """Let others see, for as long as this session lasts, that it uses the store. Some engines lack such locks."""
    with suppress(*_MISSING):
        await connection.execute(_SHARE)


async def check_unused(connection: Connection) -> None:
    """Raise `InUse` while a store has the database open. It is not seen behind a pooler, or without advisory locks."""
    with suppress(*_MISSING):
        async with connection.transaction():
            if await connection.fetchval(_SHARING):
                raise InUse("a service or a command has the store open: stop it first")


async def give_new_name(dsn: str) -> str:
    """Give the log of a database a new name, and return it. Cursors hold up to its newest change, and no further.

    Raises `InUse` while others of our sessions are there, `BadAddress`, `Unsuitable` where there is no store,
    `SchemaTooOld`, `SchemaTooNew` and `Unavailable`. A service that has no session just now ends with its next one.
    """
    with explaining():
        connection = await connect(dsn)
        try:
            await check_schema(connection)
            async with connection.transaction(isolation="read_committed"):
                await connection.execute("SET LOCAL lock_timeout = '5s'")
                await connection.execute(_LOCK)
                await connection.execute("SELECT lock_log()")  # the newest number is that of all that is committed
                await connection.execute("LOCK TABLE log_names IN ACCESS EXCLUSIVE MODE")  # who starts now waits for it
                await check_unused(connection)
                if others := await connection.fetchval(_OURS):  # also those of a pooler, which share no lock
                    raise InUse(f"backroom has {others} other connections to this database: stop the service first")
                return await _give_name(connection)
        finally:
            await connection.close()


async def _give_name(connection: Connection) -> str:
    """Let the log have a new name, here, from now on. Changes up to now are the same under the old name."""
    name = secrets.token_hex(8)
    await connection.execute(f"UPDATE log_names SET newest = {NEWEST} WHERE epoch = {_EPOCH}")
    insert = f"INSERT INTO log_names (epoch, name, home) SELECT coalesce({_EPOCH}, 0) + 1, $1, {_HOME}"
    await connection.execute(insert, name)
    return name


async def known_codec(connection: Connection) -> CursorCodec:
    """Return the codec of cursors as the log is named, wherever it is; change nothing."""
    (current, _), *former = await connection.fetch("SELECT name, newest FROM log_names ORDER BY epoch DESC")
    return CursorCodec(current, dict(former))


async def make_schema(connection: Connection) -> None:
    """Make the whole schema in the first schema of the search path, in the open transaction."""
    for step in _steps():
        await connection.execute(step.read_text())


async def at_home(connection: Connection) -> bool:
    """Return whether the log has its name in the cluster, database and table where it is now."""
    sql = f"SELECT coalesce((SELECT home FROM log_names ORDER BY epoch DESC LIMIT 1) = {_HOME}, false)"
    return bool(await connection.fetchval(sql))


async def _check_server(connection: Connection) -> None:
    if connection.get_server_version().major < OLDEST_SERVER:
        raise Unsuitable(f"the store needs PostgreSQL {OLDEST_SERVER} or newer")
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise Unsuitable(f"the store needs a database whose encoding is UTF8, and this one has {encoding}")


async def _need_trigrams(connection: Connection) -> None:
    """Make the extension if it is missing. Raises `Unsuitable` if it cannot be made, or is out of reach."""
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError) as error:
        raise Unsuitable(
            "the store needs the extension pg_trgm; let an administrator of the database run CREATE EXTENSION pg_trgm"
        ) from error
    for there, here in await connection.fetch(_HIDDEN_TRIGRAMS):
        raise Unsuitable(
            f"the extension pg_trgm is in the schema {there}, which is not in the search_path; add it there, or let"
            f" the owner of the extension run: ALTER EXTENSION pg_trgm SET SCHEMA {here}"
        )


def _steps() -> list[Traversable]:
    folder = files(__package__) / "migrations"
    return sorted((each for each in folder.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name)


async def _check_not_newer(connection: Connection) -> None:
    version, newest = await schema_version(connection), len(_steps())
    if version > newest:
        raise SchemaTooNew(f"the store has schema {version}; this version of backroom knows schemas up to {newest}")


async def schema_version(connection: Connection) -> int:
    """Return the number of the newest migration, or 0 if there is no schema."""
    # A query of the catalogue sees a table that another process has just made; a lookup by name may not. The table
    # `log_names` tells our migrations from those of another program.
    names = "SELECT FROM pg_class WHERE relname IN ('migrations', 'log_names') AND pg_table_is_visible(oid)"
    if len(await connection.fetch(names)) < 2:
        return 0
    newest: Any = await connection.fetchval("SELECT coalesce(max(number), 0) FROM migrations")
    return int(newest)
