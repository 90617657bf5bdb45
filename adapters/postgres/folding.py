"""Refolding stored text after folding has changed, in this program or in Python's Unicode tables."""

import logging
from collections.abc import Iterable

from adapters.postgres.connections import Connection
from adapters.postgres.table_mapping import TableMapping, json
from domain.snapshot import SchemaTooOld
from domain.stored_entity import Serializer
from domain.text import FOLD

AT_ONCE = 1000
"""How many rows one transaction reads. A limit, so that no other process waits long."""

NOW = f"it as {FOLD}: let it be served once"

_log = logging.getLogger("backroom")


async def refold(connection: Connection, rows: Iterable[TableMapping], documents: Serializer) -> None:
    """Update sort keys and searched text that differ from today's folding.

    Any number of processes may do this at once, and another process finishes the work of one that was killed.
    """
    if await connection.fetchval("SELECT fold FROM folding") == FOLD:
        return
    for each in rows:
        await _refold_table(connection, each, documents)
    await connection.execute("UPDATE folding SET fold = $1", FOLD)


async def check_folding(connection: Connection) -> None:
    """Check that all text is folded as this version folds it; change nothing. Raises `SchemaTooOld`."""
    if (known := [row["fold"] for row in await connection.fetch("SELECT fold FROM folding")]) != [FOLD]:
        stored = ", ".join(known) or "nobody knows"
        raise SchemaTooOld(f"the store has text folded as {stored}, and this version folds {NOW}")


async def _refold_table(connection: Connection, rows: TableMapping, documents: Serializer) -> None:
    # ASCII always folds the same way; only other text has more bytes than characters.
    select = (
        f"SELECT id, document, {', '.join(rows.folded)} FROM {rows.table}"
        " WHERE id > $1 AND octet_length(document) <> length(document) ORDER BY id LIMIT $2 FOR UPDATE"
    )
    update = (
        f"UPDATE {rows.table} SET {', '.join(f'{column} = new.{column}' for column in rows.folded)}"
        f" FROM jsonb_populate_recordset(NULL::{rows.table}, $1::jsonb) AS new WHERE {rows.table}.id = new.id"
    )
    last, is_told = 0, False
    while True:
        async with connection.transaction(isolation="read_committed"):
            found = await connection.fetch(select, last, AT_ONCE)
            new = []
            for row in found:
                whole = rows.row(documents.read(rows.entity_type, row["document"]), row["document"])
                if any(row[column] != whole[column] for column in rows.folded):
                    new.append({"id": row["id"], **{column: whole[column] for column in rows.folded}})
            if new:
                await connection.execute(update, json(new))
        if new and not is_told:
            _log.info("the way of folding text has changed: %s are folded anew, once", rows.table)
            is_told = True
        if not found:
            return
        last = found[-1]["id"]
