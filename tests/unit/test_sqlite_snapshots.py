"""What all reads in one turn of the event loop share."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from adapters.sqlite.snapshots import SharedSnapshot

pytestmark = pytest.mark.anyio

FIND = "SELECT name FROM keys WHERE id = ?"


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[apsw.Connection]:
    """Yield a connection that writes, as another process does."""
    connection = apsw.Connection(str(tmp_path / "keys.db"))
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.execute("CREATE TABLE keys (id INTEGER, name TEXT)")
    connection.execute("INSERT INTO keys VALUES (1, 'till'), (2, 'shelf')")
    yield connection
    connection.close()


@pytest.fixture
def reading(writing: apsw.Connection) -> Iterator[apsw.Connection]:
    """Yield a connection that reads the same file."""
    connection = apsw.Connection(writing.filename)
    yield connection
    connection.close()


async def test_the_same_is_asked_once_in_a_turn(reading: apsw.Connection) -> None:
    """Who asks what somebody asked in this turn costs no statement, also where nothing was found."""
    asked: list[object] = []

    def trace(_: object, sql: str, values: object) -> bool:
        asked.extend([values] if sql == FIND else [])
        return True

    reading.exec_trace = trace
    shared = SharedSnapshot(reading)
    answers = [shared.row(FIND, id) for id in (1, 2, 3, 1, 2, 3)]
    shared.end()
    assert [("till",), ("shelf",), None] * 2 == answers
    assert [(1,), (2,), (3,)] == asked


async def test_the_next_turn_sees_what_others_wrote(reading: apsw.Connection, writing: apsw.Connection) -> None:
    """What one turn was told is forgotten at its end, in which another process may have written."""
    shared = SharedSnapshot(reading)
    assert ("till",) == shared.row(FIND, 1)
    writing.execute("DELETE FROM keys WHERE id = 1")
    assert ("till",) == shared.row(FIND, 1)
    await asyncio.sleep(0)
    assert None is shared.row(FIND, 1)
    shared.end()
