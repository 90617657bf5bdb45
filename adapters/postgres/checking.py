"""Checks of the database when a store opens: tables, columns, constraints, durability."""

import logging
from collections.abc import Iterable

import asyncpg

from adapters.postgres.connections import Connection
from adapters.postgres.errors import Unsuitable
from adapters.postgres.table_mapping import TableMapping
from domain.public_types import PUBLIC_TYPES

SLOW = "the database has no index of %s by %s, %s: lists in that order read the whole table"

NOT_DURABLE = (
    "PostgreSQL has synchronous_commit off, so what was acknowledged may be lost when its server crashes:"
    " ALTER DATABASE … SET synchronous_commit = on"
)

_log = logging.getLogger("backroom")

_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conrelid = $1::text::regclass
"""
_INDEXED = """
SELECT attname, indoption[0] & 1 = 1 FROM pg_index
JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] WHERE indrelid = $1::text::regclass AND indisvalid
"""


async def check_tables(connection: Connection, rows: Iterable[TableMapping]) -> None:
    """Check that every entity type has its table, with all its columns and constraints, and its sequence.

    Raises `Unsuitable`. A missing index only makes lists slow, so it is logged.
    """
    for each in rows:
        try:
            await connection.execute(each.needs)
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
            raise Unsuitable(
                f"the database lacks what {each.table} need, until a migration makes it: {error}"
            ) from None
        await _check_constraints(connection, each)
        if each.entity_type in PUBLIC_TYPES:  # internal types have few entities
            await _look_for_indexes(connection, each)


async def look_at_durability(connection: Connection) -> None:
    """Log a warning if the database may lose confirmed writes, because the service then may, too."""
    if await connection.fetchval("SHOW synchronous_commit") == "off":
        _log.warning(NOT_DURABLE)


async def _check_constraints(connection: Connection, rows: TableMapping) -> None:
    """Check the constraints that keep values unique, because concurrent writers do not see each other."""
    there = {row["conname"]: row["definition"] for row in await connection.fetch(_CONSTRAINTS, rows.table)}
    for name, definition in rows.constraints.items():
        if there.get(name) != definition:
            what, first = ("another", f"DROP CONSTRAINT {name}, ") if name in there else ("no", "")
            raise Unsuitable(
                f"the database has {what} constraint {name}, so that {rows.table} could get the same value twice:"
                f" ALTER TABLE {rows.table} {first}ADD CONSTRAINT {name} {definition}"
            )


async def _look_for_indexes(connection: Connection, rows: TableMapping) -> None:
    indexed = {tuple(row) for row in await connection.fetch(_INDEXED, rows.table)}
    for column in rows.sorted_by:
        for is_descending, order in ((False, "ascending"), (True, "descending")):
            if (column, is_descending) not in indexed:
                _log.warning(SLOW, rows.table, column, order)
