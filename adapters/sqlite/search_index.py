"""Checking a search index against the text of its table.

FTS5 can do it, but only as a write. So it gets a copy of the index among the connection's temporary tables.
"""

from collections import Counter
from collections.abc import Iterator

import apsw

from adapters.sqlite.connections import fetch
from adapters.sqlite.table_mapping import TableMapping
from domain.inspection.findings import MOST_SHOWN, Finding, Kind

COPIED = ("data", "idx", "config")
"""The tables that FTS5 keeps an index in."""

TRIGRAMS_SHOWN = 20
TRIGRAMS_COUNTED = 250_000
"""How many different trigrams are compared; a limit for texts with very many, such as Chinese ones."""

SURPLUS = "is found by %r, which its text does not have"

_INDEX = (
    "USING fts5 (search, content='checked_text', content_rowid='id',"
    " tokenize='trigram case_sensitive 1', detail=none, columnsize=0)"
)


def check_search_index(connection: apsw.Connection, rows: TableMapping) -> Iterator[Finding]:
    """Yield which entities the search index of a table has too much or not at all. Raises SQLite's errors."""
    index, table = f"{rows.table}_search", rows.table
    connection.execute("PRAGMA query_only=OFF")  # for temporary tables; nothing here names another target
    try:
        connection.execute(f"CREATE TEMP VIEW checked_text AS SELECT id, search FROM main.{table}")
        connection.execute(f"CREATE VIRTUAL TABLE temp.checked {_INDEX}")
        for each in COPIED:
            connection.execute(f"DELETE FROM temp.checked_{each}")
            connection.execute(f"INSERT INTO temp.checked_{each} SELECT * FROM main.{index}_{each}")
        try:
            connection.execute("INSERT INTO temp.checked (checked, rank) VALUES ('integrity-check', 1)")
        except apsw.CorruptError:
            yield from _named(connection, rows)
    finally:
        connection.execute("DROP TABLE IF EXISTS temp.checked")
        connection.execute("DROP VIEW IF EXISTS temp.checked_text")
        connection.execute("PRAGMA query_only=ON")


def _named(connection: apsw.Connection, rows: TableMapping) -> Iterator[Finding]:
    """Name entities for some of the trigrams that the text has more or less often than the index."""
    yield Finding(Kind.SEARCH_INDEX, f"table {rows.table}_search", "does not have the trigrams of the text")
    in_text: Counter[str] = Counter()
    for (text,) in connection.execute(f"SELECT search FROM main.{rows.table}"):
        if len(in_text) < TRIGRAMS_COUNTED:
            in_text.update(set(map("".join, zip(text, text[1:], text[2:], strict=False))))
    connection.execute(f"CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, {rows.table}_search, 'row')")
    in_index = Counter(dict(fetch(connection, "SELECT term, doc FROM temp.vocabulary")))
    connection.execute("DROP TABLE temp.vocabulary")
    differing = sorted(each for each in in_text.keys() | in_index.keys() if in_text[each] != in_index[each])
    for trigram in differing[:TRIGRAMS_SHOWN]:
        yield from _of_trigram(connection, rows, trigram)
    if len(differing) > TRIGRAMS_SHOWN:
        what = f"differs in {len(differing) - TRIGRAMS_SHOWN} more trigrams"
        yield Finding(Kind.SEARCH_INDEX, f"table {rows.table}_search", what)


def _of_trigram(connection: apsw.Connection, rows: TableMapping, trigram: str) -> Iterator[Finding]:
    by_text, by_index = (
        f"SELECT id FROM main.{rows.table} WHERE instr(search, ?1)",
        f"SELECT rowid FROM main.{rows.table}_search WHERE {rows.table}_search MATCH ?2",
    )
    values = (trigram, '"' + trigram.replace('"', '""') + '"')
    for one, other, what in (
        (by_text, by_index, "is not found by %r, which its text has"),
        (by_index, by_text, SURPLUS),
    ):
        sql = f"SELECT * FROM ({one} EXCEPT {other}) ORDER BY 1 LIMIT {MOST_SHOWN}"
        for (id,) in fetch(connection, sql, values):
            yield Finding(Kind.SEARCH_INDEX, f"{rows.entity_type.name} {id}", what % trigram)
