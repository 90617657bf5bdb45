"""A file after an import is as if its content had always been there."""

import asyncio
import threading
from pathlib import Path

import apsw
import pytest

from adapters.sqlite.exporting import in_thread
from adapters.sqlite.importing import importing
from domain.changes import Cursor
from domain.commands import Delete
from domain.errors import CursorExpired
from domain.product import PRODUCT
from domain.registry import ENTITY_TYPES
from domain.task import TASK
from domain.use_cases.move import Undecided, move
from entrypoints.stores import exporting
from tests.builders import LATER, SERIALIZER, Clock
from tests.contract.locations import moved, opened
from tests.contract.steps import carry_out, edit, fill
from tests.faults.past import take_back

BEFORE_NUMBERS = 8
"""The last schema in which a moved log listed its cursors one by one."""

pytestmark = pytest.mark.anyio


async def filled(url: str) -> None:
    """Leave something of every sort in a store."""
    store = await opened(url, Clock())
    await fill(store, TASK, *({"title": f"Task {number}"} for number in range(50)))
    await fill(store, PRODUCT, {})
    await carry_out(store, edit(TASK, 3, title="Another"), Delete(entity_type=TASK, id=4))
    await store.close()


async def test_the_schema_is_whole(tmp_path: Path) -> None:
    """Each table and index is there, and the indexes, those of the search among them, hold what the tables do."""
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("from", "to")]
    await filled(urls[0])
    await moved(*urls)
    source, target = (apsw.Connection(str(tmp_path / f"{name}.db")) for name in ("from", "to"))
    schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
    assert source.execute(schema).fetchall() == target.execute(schema).fetchall()
    assert [("ok",)] == target.execute("PRAGMA integrity_check").fetchall()
    for entity_type in (TASK, PRODUCT):  # fails where the index is not that of the table
        table = f"{entity_type.collection}_search"
        target.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
    source.close()
    target.close()


async def test_a_file_of_before(tmp_path: Path) -> None:
    """Cursors that an earlier move listed one by one still hold; they are purged with their changes."""
    url, path = f"sqlite:///{tmp_path}/a.db", tmp_path / "a.db"
    await filled(url)
    take_back(path, BEFORE_NUMBERS)
    connection = apsw.Connection(str(path))
    connection.execute("INSERT INTO former_logs VALUES ('old')")
    connection.execute("INSERT INTO former_cursors VALUES ('old-7', 0), ('old-1.2.3', 51), ('old-1.2.4', 53)")
    store = await opened(url, Clock())
    behind = {cursor: len((await store.read(Cursor(cursor))).entries) for cursor in ("old-7", "old-1.2.3", "old-1.2.4")}
    assert {"old-7": 53, "old-1.2.3": 2, "old-1.2.4": 0} == behind
    with pytest.raises(CursorExpired):
        await store.read(Cursor("old-8"))
    await store.purge(LATER, changes_before=LATER)
    assert [("old-1.2.4",)] == connection.execute("SELECT cursor FROM former_cursors").fetchall()
    connection.close()
    await store.close()


async def test_a_disk_that_fails_in_the_moment_of_the_commit(tmp_path: Path) -> None:
    """The error does not say that nothing was moved, because the file may have all of it when it is next opened."""
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("from", "to")]
    await filled(urls[0])

    def fail(_: apsw.Cursor, sql: str, __: object) -> bool:
        if sql == "COMMIT":
            raise apsw.IOError
        return True

    path = tmp_path / "to.db"
    async with (
        exporting(urls[0]) as export,
        importing(path, entity_types=ENTITY_TYPES, documents=SERIALIZER) as importer,
    ):
        importer._connection.exec_trace = fail
        with pytest.raises(Undecided):
            await move(export, importer, lambda *_: None)


async def test_work_that_is_interrupted_has_ended(tmp_path: Path) -> None:
    """A second cancellation also waits until nobody uses the connection any more."""
    connection, begun = apsw.Connection(str(tmp_path / "a.db")), threading.Event()

    def begin(*_: object) -> int:
        begun.set()
        return 1

    connection.create_scalar_function("begin", begin)
    endless = "WITH RECURSIVE n(i) AS (SELECT begin() UNION ALL SELECT 1 FROM n) SELECT max(i) FROM n"
    work = asyncio.create_task(in_thread(connection, lambda: connection.execute(endless)))
    await asyncio.to_thread(begun.wait)
    for _ in range(2):
        work.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await work
    connection.execute("SELECT 1")
    connection.close()


async def test_the_source_stays_as_it_is(tmp_path: Path) -> None:
    """Not a byte of it is written: neither of a copy without a write-ahead log, nor of what such a log still has."""
    live, backup, target = (tmp_path / name for name in ("live.db", "backup.db", "to.db"))
    await filled(f"sqlite:///{live}")
    connection = apsw.Connection(str(live))
    connection.execute(f"VACUUM INTO '{backup}'")
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.execute("CREATE TABLE another (id INTEGER)")
    connection.close()  # like a service that was killed
    before = [each.read_bytes() for each in (live, backup)]
    for source in (live, backup):
        target.unlink(missing_ok=True)
        await moved(f"sqlite:///{source}", f"sqlite:///{target}")
    assert before == [each.read_bytes() for each in (live, backup)]
