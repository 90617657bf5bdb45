"""Checking what a database has beside rows: tables, columns, constraints, indexes, and pages.

All of it happens in one transaction that is rolled back: it makes the extension amcheck, if that is missing, and then
the schema anew, to compare.
"""

import re
from collections.abc import AsyncIterator, Mapping

import asyncpg
from attrs import frozen

from adapters.postgres.connections import Connection
from adapters.postgres.migrating import make_schema
from domain.inspection.findings import Finding, Kind, Unchecked

_SCHEMA = """
SELECT 'table ' || relname || ', column ' || attname AS name, format_type(atttypid, atttypmod) AS definition
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = $1 AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'sequence ' || relname, '' FROM pg_class WHERE relnamespace = $1 AND relkind = 'S'
UNION ALL SELECT 'function ' || proname, prosrc FROM pg_proc WHERE pronamespace = $1
UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = $1 AND contype IN ('p', 'u', 'f')
UNION ALL SELECT 'index ' || relname, pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' (invalid)' END
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = $1
"""
_KINDS = {"index": Kind.INDEX}
_QUALIFIED = re.compile(r"\b\w+\.(?=\w)")
_HOME = "SELECT relnamespace FROM pg_class WHERE oid = to_regclass('log_names')"

SCRATCH = "backroom_verified"
"""The schema to compare with. Nobody else ever sees it."""

AMCHECK = "let an administrator of the database run CREATE EXTENSION amcheck, and grant its functions to this user"


@frozen
class _Check:
    """A function of amcheck, and what it checks."""

    what: str
    kind: Kind
    function: str
    sql: str


_CHECKS = {
    "heap": _Check(
        "table",
        Kind.PAGE,
        "verify_heapam(regclass,boolean,boolean,text,bigint,bigint)",
        "SELECT format('block %s, item %s: %s', blkno, offnum, msg) FROM verify_heapam($1::oid::regclass) LIMIT 100",
    ),
    "btree": _Check(
        "index",
        Kind.INDEX,
        "bt_index_check(regclass,boolean)",
        "SELECT NULL::text FROM bt_index_check($1::oid::regclass, true) WHERE false",
    ),
    "gin": _Check(
        "index",
        Kind.SEARCH_INDEX,
        "gin_index_check(regclass)",
        "SELECT NULL::text FROM gin_index_check($1::oid::regclass) WHERE false",
    ),
}
_RELATIONS = """
SELECT pg_class.oid, relname, amname FROM pg_class JOIN pg_am ON pg_am.oid = relam
LEFT JOIN pg_index ON indexrelid = pg_class.oid
WHERE relnamespace = $1 AND relkind IN ('r', 'i') AND amname IN ('heap', 'btree', 'gin') AND indisvalid IS NOT false
ORDER BY relname
"""


async def check_structure(connection: Connection) -> AsyncIterator[Finding | Unchecked]:
    """Yield what is wrong. The connection must be in no transaction, and is in none afterwards."""
    transaction = connection.transaction(isolation="read_committed")
    await transaction.start()
    try:
        await connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'")
        home = await connection.fetchval(_HOME)
        async for found in _checked_pages(connection, home):
            yield found
        for finding in await _compared(connection, home):
            yield finding
    finally:
        await transaction.rollback()


async def _compared(connection: Connection, home: int) -> list[Finding | Unchecked]:
    """Compare the schema with a new one. What is there besides is the owner's own matter."""
    there = await _schema(connection, home)
    path = await connection.fetchval("SHOW search_path")
    try:
        await connection.execute(f"CREATE SCHEMA {SCRATCH}")
    except (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError) as error:
        return [
            Unchecked("tables, columns, constraints and indexes", f"no schema to compare with can be made: {error}")
        ]
    await connection.execute(f"SET LOCAL search_path = {SCRATCH}, {path}")
    await make_schema(connection)  # nothing may follow but a rollback: the tables hide those of the store
    new = await _schema(connection, await connection.fetchval("SELECT $1::regnamespace::oid", SCRATCH))
    return [
        Finding(_KINDS.get(name.partition(" ")[0], Kind.SCHEMA), name, _difference(there.get(name), definition))
        for name, definition in new.items()
        if there.get(name) != definition
    ]


def _difference(has: str | None, should: str) -> str:
    if has is None:
        return f"is missing, and should be: {should}" if should else "is missing"
    return f"is: {has}, and should be: {should}"


async def _schema(connection: Connection, schema: int) -> Mapping[str, str]:
    """Return the definition of each thing in a schema, without the names of schemas."""
    found = await connection.fetch(_SCHEMA, schema)
    return {row["name"]: _QUALIFIED.sub("", row["definition"]) for row in found}


async def _checked_pages(connection: Connection, home: int) -> AsyncIterator[Finding | Unchecked]:
    """Let amcheck check the tables, and each index against its table."""
    if await connection.fetchval("SHOW data_checksums") == "off":
        yield Unchecked("each bit of the pages", "the cluster has no data_checksums")
    if (reason := await _lack_of_amcheck(connection)) is not None:
        yield Unchecked("the order of the pages, and each index against its table", f"{reason}; {AMCHECK}")
        return
    for row in await connection.fetch(_RELATIONS, home):
        check = _CHECKS[row["amname"]]
        if await connection.fetchval("SELECT to_regprocedure($1) IS NULL", check.function):
            yield Unchecked(f"index {row['relname']}", f"this version of amcheck has no {check.function}")
            continue
        try:
            async with connection.transaction():  # an index is found to be wrong by an error
                for (text,) in await connection.fetch(check.sql, row["oid"]):
                    yield Finding(check.kind, f"{check.what} {row['relname']}", f"amcheck says: {text}")
        except asyncpg.InsufficientPrivilegeError as error:
            yield Unchecked("the order of the pages, and each index against its table", f"{error}; {AMCHECK}")
            return
        except (asyncpg.InternalServerError, asyncpg.PostgresSystemError) as error:
            yield Finding(check.kind, f"{check.what} {row['relname']}", f"amcheck says: {error}")


async def _lack_of_amcheck(connection: Connection) -> str | None:
    """Make the extension, in the open transaction, or return why that fails."""
    try:
        async with connection.transaction():
            await connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
    except (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError) as error:
        return f"there is no amcheck ({error})"
    except asyncpg.ReadOnlySQLTransactionError:
        return "there is no amcheck, and the database accepts no writes"
    return None
