"""Where a log lives: copies are told from files that were moved."""

import logging
import shutil
from pathlib import Path

import apsw
import pytest

from adapters.sqlite import connections, home
from domain.snapshot import InUse
from domain.task import TASK
from tests.builders import Clock, create
from tests.contract.locations import opened
from tests.contract.steps import carry_out

pytestmark = pytest.mark.anyio


@pytest.fixture
async def file(tmp_path: Path, machine: Path) -> Path:
    """Return a file that was in use at its place."""
    del machine
    await use(tmp_path / "shop.db")
    return tmp_path / "shop.db"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a file have the id of the machine."""
    path = tmp_path / "machine-id"
    path.write_text("one\n")
    monkeypatch.setattr(home, "_MACHINE_IDS", (path,))
    return path


async def use(file: Path) -> None:
    """Write something to a store."""
    store = await opened(f"sqlite:///{file}", Clock())
    await carry_out(store, create(TASK))
    await store.close()


def name(file: Path) -> str:
    """Return the name of the log in a file."""
    connection = apsw.Connection(str(file))
    found = str(connection.execute("SELECT name FROM log").fetchall()[0][0])
    connection.close()
    return found


async def test_a_copy(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each start on a copy warns, until its log has a new name; starts on the original do not."""
    shutil.copy(file, tmp_path / "copy.db")
    for _ in range(2):
        caplog.clear()
        await use(tmp_path / "copy.db")
        assert f"copy.db is a copy of {file}, with the same name of the log" in caplog.text
    caplog.clear()
    await use(file)
    assert name(file) != await home.give_new_name(tmp_path / "copy.db") == name(tmp_path / "copy.db")
    await use(tmp_path / "copy.db")
    assert [] == caplog.messages


async def test_a_copy_whose_original_is_gone(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is the only one, so nobody need know."""
    shutil.copy(file, tmp_path / "copy.db")
    await use(tmp_path / "copy.db")
    file.write_bytes(b"something else")
    caplog.clear()
    await use(tmp_path / "copy.db")
    assert [] == caplog.messages


async def test_moved(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that was moved, also through a link or under another name, is no copy."""
    (tmp_path / "link.db").symlink_to(file)
    await use(tmp_path / "link.db")
    await use(file.rename(tmp_path / "other.db"))
    await use((tmp_path / "other.db").rename(file))
    assert [] == caplog.messages


async def test_one_file_in_two_places(file: Path, tmp_path: Path) -> None:
    """A file that is seen in another place too, as through a mount, is no copy of itself."""
    (tmp_path / "hard.db").hardlink_to(file)
    connection = connections.existing(tmp_path / "hard.db")
    assert None is home.copied_from(connection, tmp_path / "hard.db")
    connections.close_reader(connection)


async def test_another_machine(file: Path, machine: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The first start on another machine warns, and no later one."""
    machine.write_text("two\n")
    await use(file)
    assert "was last in use on another machine; if it still is in use there, run backroom doctor" in caplog.text
    caplog.clear()
    await use(file)
    assert [] == caplog.messages


async def test_no_machine(file: Path, machine: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A container without an id of its machine says nothing, wherever it runs."""
    machine.unlink()
    await use(file)
    machine.write_text("three\n")
    await use(file)
    assert [] == caplog.messages


async def test_in_use(file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log gets no new name while its file is open elsewhere, even by somebody who only reads."""
    monkeypatch.setattr(connections, "ALONE_WITHIN_S", 0)
    before = name(file)
    store = await opened(f"sqlite:///{file}", Clock())
    with caplog.at_level(logging.CRITICAL), pytest.raises(InUse, match="stop it first"):
        await home.give_new_name(file)
    await store.close()
    assert before == name(file)
