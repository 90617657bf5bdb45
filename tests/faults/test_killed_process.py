"""A process that is killed while it writes."""

from pathlib import Path

import apsw
import pytest

from domain.queries import Query
from domain.task import TASK
from tests.contract.steps import trail, walk
from tests.faults.conftest import open_store
from tests.faults.processes import start

pytestmark = pytest.mark.anyio

ENOUGH = 300


async def test_nothing_acknowledged_is_lost(path: Path) -> None:
    """After each of three kills, all acknowledged writes are there and the file is sound."""
    acknowledged: dict[int, int] = {}
    for _ in range(3):
        with start("write", path) as process:
            assert process.stdout is not None
            for _ in range(ENOUGH):
                id, version = map(int, process.stdout.readline().split())
                acknowledged[id] = version
            process.kill()
            for line in process.stdout:  # what it had printed when it was killed
                if line.endswith("\n"):
                    id, version = map(int, line.split())
                    acknowledged[id] = version
        check(path)
    store = open_store(path)
    entities = await walk(store, Query(entity_type=TASK, limit=1000))
    current = {entity.id: entity.version for entity in entities}
    log: dict[int, int] = {}
    for _, id, version in await trail(store):
        assert log.get(id, 0) + 1 == version
        log[id] = version
    assert current == {id: version for id, version in log.items() if version < 3}
    assert [] == [(id, version) for id, version in acknowledged.items() if version > log.get(id, 0)]
    assert [f"Task of {e.title[-1]}" if e.version == 1 else f"Edited by {e.title[-1]}" for e in entities] == [
        e.title for e in entities
    ]
    await store.close()


def check(path: Path) -> None:
    """Let SQLite check the whole file, and the search index against it."""
    connection = apsw.Connection(str(path))
    assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
    connection.execute("INSERT INTO tasks_search (tasks_search, rank) VALUES ('integrity-check', 1)")
    connection.close()
