"""Inserting many rows into a table of SQLite."""

import apsw
import pytest

from adapters.sqlite.insertion import TOGETHER, Insertion
from adapters.sqlite.log import APPENDING
from adapters.sqlite.table_mapping import TableMapping
from domain.registry import ENTITY_TYPES

MOST_CACHED = 16 * 1024
"""apsw keeps a statement compiled only if its text is not longer."""


@pytest.mark.parametrize("count", [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER])
def test_every_row_is_inserted_in_its_order(count: int) -> None:
    """However many they are."""
    connection = apsw.Connection("")
    connection.execute("CREATE TABLE things (number INTEGER PRIMARY KEY, name TEXT)")
    names = [(f"thing {number}",) for number in range(1, count + 1)]
    Insertion("things", ["name"]).insert(connection, names)
    assert names == connection.execute("SELECT name FROM things ORDER BY number").fetchall()


def test_every_statement_stays_compiled() -> None:
    """No table has so many columns that its text is too long to be kept."""
    rows = [TableMapping(each) for each in ENTITY_TYPES]
    insertions = [APPENDING, *(each._insertion for each in rows), *(each._indexing for each in rows)]
    assert MOST_CACHED > max(len(each._many) for each in insertions)
