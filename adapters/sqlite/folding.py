"""Refolding stored text after folding has changed, in this program or in Python's Unicode tables."""

import logging
from collections.abc import Iterable

import apsw

from adapters.sqlite.connections import fetch
from adapters.sqlite.table_mapping import Searched, TableMapping
from domain.snapshot import SchemaTooOld
from domain.stored_entity import Serializer
from domain.text import FOLD

AT_ONCE = 1000
"""How many rows one transaction reads. A limit, so that no other process waits long."""

NOW = f"it as {FOLD}: let it be served once"

_log = logging.getLogger("backroom")


def refold(connection: apsw.Connection, rows: Iterable[TableMapping], documents: Serializer) -> None:
    """Update sort keys and searched text that differ from today's folding.

    Any number of processes may do this at once, and another process finishes the work of one that was killed.
    """
    if fetch(connection, "SELECT fold FROM folding")[0][0] == FOLD:
        return
    for each in rows:
        _refold_table(connection, each, documents)
    connection.execute("UPDATE folding SET fold = ?", (FOLD,))


def check_folding(connection: apsw.Connection) -> None:
    """Check that all text is folded as this version folds it; change nothing. Raises `SchemaTooOld`."""
    if (known := fetch(connection, "SELECT fold FROM folding")) != [(FOLD,)]:
        stored = ", ".join(fold for (fold,) in known) or "nobody knows"
        raise SchemaTooOld(f"{connection.filename} has text folded as {stored}, and this version folds {NOW}")


def _refold_table(connection: apsw.Connection, rows: TableMapping, documents: Serializer) -> None:
    # ASCII always folds the same way; only other text has more bytes than characters.
    columns = ", ".join(rows.folded)
    select = (
        f"SELECT id, document, {columns} FROM {rows.table}"
        " WHERE id > ? AND octet_length(document) <> length(document) ORDER BY id LIMIT ?"
    )
    update = f"UPDATE {rows.table} SET {', '.join(f'{column} = ?' for column in rows.folded)} WHERE id = ?"
    last, is_told = 0, False
    while True:
        with connection:  # the transaction begins by reading, so a writer in between would make it fail
            connection.execute("UPDATE folding SET fold = fold")
            found = fetch(connection, select, (last, AT_ONCE))
            new = [
                (id, stored, folded)
                for id, document, *stored in found
                if stored != (folded := rows.fold(documents.read(rows.entity_type, document)))
            ]
            connection.executemany(update, [(*folded, id) for id, _, folded in new])
            rows.reindex(connection, (Searched(id, stored[-1], str(folded[-1])) for id, stored, folded in new))
        if new and not is_told:
            _log.info("the way of folding text has changed: %s are folded anew, once", rows.table)
            is_told = True
        if not found:
            return
        last = found[-1][0]
