"""What a file is like after it has taken over another store: as if it had always been there."""

from pathlib import Path

import apsw
import pytest

from backroom.domain.commands import Delete
from backroom.domain.product import PRODUCT
from backroom.domain.task import TASK
from tests.builders import LATER, Clock
from tests.contract.places import moved, opened
from tests.contract.steps import carry_out, edit, fill

pytestmark = pytest.mark.anyio


async def filled(url: str) -> None:
    """Leave something of every sort in a store."""
    store = await opened(url, Clock())
    await fill(store, TASK, *({"title": f"Task {number}"} for number in range(50)))
    await fill(store, PRODUCT, {})
    await carry_out(store, edit(TASK, 3, title="Another"), Delete(kind=TASK, id=4))
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
    for kind in (TASK, PRODUCT):  # fails where the index is not that of the table
        table = f"{kind.collection}_search"
        target.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
    source.close()
    target.close()


async def test_former_cursors_go_with_their_changes(tmp_path: Path) -> None:
    """What nobody can follow any more takes no room."""
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("from", "to")]
    await filled(urls[0])
    await moved(*urls)
    store = await opened(urls[1], Clock())
    await store.sweep(LATER, changes_before=LATER)
    connection = apsw.Connection(str(tmp_path / "to.db"))
    assert [(53,)] == connection.execute("SELECT number FROM former_cursors").fetchall()
    connection.close()
    await store.close()
