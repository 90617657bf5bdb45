"""Damage to the bytes of a file, and what a verification leaves behind."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.task import TASK
from tests.builders import Clock, create
from tests.contract.locations import opened
from tests.contract.steps import carry_out
from tests.inspection.damages import bytes_of, do
from tests.inspection.populated import found, said

pytestmark = pytest.mark.anyio

PAGE = 4096


async def lines(file: Path) -> list[str]:
    """Return what is found in a file, or why it cannot even be opened."""
    try:
        return said(await found(f"sqlite:///{file}"))
    except Exception as error:  # noqa: BLE001 - the message is what the owner sees
        return [str(error)]


def altered(file: Path, place: int, change: Callable[[int], int]) -> None:
    """Change a byte."""
    data = bytearray(file.read_bytes())
    data[place] = change(data[place])
    file.write_bytes(data)


async def test_the_kind_of_any_page(file: Path) -> None:
    """A flipped bit in the first byte of any page is found."""
    whole = file.read_bytes()
    places = [100, *range(PAGE, len(whole), PAGE)]
    for place in random.Random(1).sample(places, 25):
        file.write_bytes(whole)
        altered(file, place, lambda byte: byte ^ 0x40)
        assert [] != await lines(file), place // PAGE


async def test_any_bit_of_a_document(file: Path) -> None:
    """A flipped bit in a document, in the table or in the log, is found with its entity."""
    await do(f"sqlite:///{file}", "VACUUM")  # or what was overwritten is there, too
    whole = file.read_bytes()
    place = whole.index(b'"uno"')
    while place != -1:
        for bit in range(8):
            file.write_bytes(whole)
            altered(file, place + 1, lambda byte, bit=bit: byte ^ 1 << bit)  # type: ignore[misc]
            assert any("task 1" in each or "change 8" in each or "change 12" in each for each in await lines(file)), bit
        place = whole.find(b'"uno"', place + 1)


@pytest.mark.parametrize("rest", [0.95, 0.5, 0.1])
async def test_a_truncated_file(file: Path, rest: float) -> None:
    """A file without its end is found to be damaged."""
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * rest)])
    assert any("page: " in each or "is damaged" in each for each in await lines(file))


async def test_no_database(file: Path) -> None:
    """A file that holds something else is named."""
    file.write_bytes(b"precious" * 1000)
    assert [f"{file} is not a SQLite database"] == await lines(file)


async def test_an_empty_file(file: Path) -> None:
    """An empty file holds no store, and stays empty."""
    file.write_bytes(b"")
    assert [f"{file} holds no store"] == await lines(file)
    assert {file.name: b""} == bytes_of(file)


async def test_no_file(tmp_path: Path) -> None:
    """A missing file is named, and not made."""
    assert [f"{tmp_path / 'none.db'} does not exist"] == await lines(tmp_path / "none.db")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("PRAGMA user_version = 7", "has schema 7, and this version of backroom needs"),
        ("PRAGMA user_version = 99", "has schema 99; this version of backroom knows schemas up to"),
        (
            "UPDATE folding SET fold = '1-13.0.0'",
            "has text folded as 1-13.0.0, and this version folds",
        ),
        (
            "UPDATE declared_fields SET names = 'id' WHERE kind = 'task'",
            "has no task with all its fields: let it be served",
        ),
    ],
)
async def test_another_version(file: Path, statement: str, what: str) -> None:
    """A store of another version is not verified, and the message says what must be done first."""
    await do(f"sqlite:///{file}", statement)
    (line,) = await lines(file)
    assert what in line


async def test_tables_of_others(file: Path) -> None:
    """Tables that Litestream keeps in the file are none of our business."""
    for name in ("seq", "lock"):
        await do(f"sqlite:///{file}", f"CREATE TABLE _litestream_{name} (id INTEGER PRIMARY KEY, seq INTEGER)")
    assert [] == await lines(file)


async def test_nothing_changes(file: Path) -> None:
    """Verifying leaves every byte as it was, and no other file."""
    before = bytes_of(file)
    assert [] == await lines(file)
    assert before == bytes_of(file)
    assert [file.name] == list(before)


@pytest.fixture
async def crashed(file: Path, tmp_path: Path) -> Path:
    """Return the copy of a store that was in use, with the newest writes in the write-ahead log alone."""
    store = await opened(f"sqlite:///{file}", Clock())
    for title in ("5", "6", "7", "8"):
        await carry_out(store, create(TASK, title=title))
    copy = tmp_path / "copy.db"
    for end in ("", "-wal"):
        copy.with_name(copy.name + end).write_bytes(file.with_name(file.name + end).read_bytes())
    await store.close()
    return copy


async def test_after_a_crash(crashed: Path) -> None:
    """The write-ahead log counts, and stays; what a crash left unfinished at its end is no damage."""
    log = crashed.with_name("copy.db-wal")
    log.write_bytes(log.read_bytes() + b"garbage" * 1000)
    before = bytes_of(crashed)
    assert [] == await lines(crashed)
    after = bytes_of(crashed)
    assert before == {name: after[name] for name in before}
    store = await opened(f"sqlite:///{crashed}", Clock())
    assert 17 == int((await store.head()).partition("-")[2])
    await store.close()


async def test_a_damaged_write_ahead_log(crashed: Path) -> None:
    """Commits that are lost behind a damaged frame are found, which SQLite ignores."""
    log = crashed.with_name("copy.db-wal")
    altered(log, 32 + 24 + 50, lambda byte: byte ^ 1)
    (line,) = [each for each in await lines(crashed) if "-wal" in each]
    assert line.startswith("page: copy.db-wal is damaged in frame 1, and at least ")


async def test_beside_a_writer(file: Path) -> None:
    """A service may go on writing, and what it writes meanwhile is not seen."""
    store = await opened(f"sqlite:///{file}", Clock())
    for _ in range(3):
        await carry_out(store, create(TASK))
        assert [] == await lines(file)
    await store.close()
