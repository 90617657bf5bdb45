"""Folding stored text anew, after the way of folding has changed: with this program, or with Python's Unicode."""

import logging
from collections.abc import Iterable

import apsw

from adapters.sqlite.connections import fetch
from adapters.sqlite.table_mapping import Searched, TableMapping
from domain.stored_entity import Serializer
from domain.text import FOLD

AT_ONCE = 1000
"""How many rows one transaction looks at, so that no other process has to wait for long."""

_log = logging.getLogger("backroom")


def refold(connection: apsw.Connection, rows: Iterable[TableMapping], documents: Serializer) -> None:
    """Bring sort keys and what `q` looks through up to date, where they differ from how text is folded now.

    Any number of processes may do so at once, and one that is killed leaves the rest to the next.
    """
    if fetch(connection, "SELECT fold FROM folding")[0][0] == FOLD:
        return
    for each in rows:
        _refold_table(connection, each, documents)
    connection.execute("UPDATE folding SET fold = ?", (FOLD,))


def _refold_table(connection: apsw.Connection, rows: TableMapping, documents: Serializer) -> None:
    # The folding of ASCII never changes, and only other text is longer in bytes than in characters.
    columns = ", ".join(rows.folded)
    select = (
        f"SELECT id, document, {columns} FROM {rows.table}"
        " WHERE id > ? AND octet_length(document) <> length(document) ORDER BY id LIMIT ?"
    )
    update = f"UPDATE {rows.table} SET {', '.join(f'{column} = ?' for column in rows.folded)} WHERE id = ?"
    last, is_told = 0, False
    while True:
        with connection:  # begins by reading, so a writer in between would make it fail
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
