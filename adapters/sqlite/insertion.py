"""Inserting many rows by few statements: a thread gives up the interpreter for each, and waits to get it back."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import apsw

TOGETHER = 500
"""Rows of one statement. The text of many more would have over 16 KB, and apsw would compile it again each time."""


class Insertion:
    """Inserts rows into some columns of a table."""

    def __init__(self, table: str, columns: Sequence[str], *, together: int = TOGETHER) -> None:
        row = f"({','.join('?' * len(columns))})"
        self._together = together
        self._one = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {row}"
        self._many = f"{self._one}{f',{row}' * (together - 1)}"

    def insert(self, connection: apsw.Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in their order."""
        whole = len(rows) - len(rows) % self._together
        for start in range(0, whole, self._together):
            connection.execute(self._many, tuple(chain.from_iterable(rows[start : start + self._together])))
        connection.executemany(self._one, rows[whole:])
