"""The disk with a write cache, and its state after a power cut."""

import random

from tests.power.medium import SECTOR, File, Medium


def nothing() -> bool:
    """Let no unsynced piece survive."""
    return False


def file_in(medium: Medium, name: bytes) -> File:
    """Return a file of the root by its name."""
    found = medium.root.seen[name]
    assert isinstance(found, File)
    return found


def made(medium: Medium, name: bytes = b"a") -> File:
    """Create a file in the root, with its name synced."""
    file = medium.file()
    medium.root.put(name, file)
    medium.root.sync()
    return file


def test_what_was_synced_is_kept() -> None:
    """Data written before the sync of its file survives; later data does not."""
    medium = Medium()
    file = made(medium)
    file.write(0, b"old")
    file.sync()
    file.write(1, b"EW and more")
    assert b"oEW and more" == file.read(0, 100)
    medium.cut(nothing)
    assert b"old" == file_in(medium, b"a").read(0, 100)


def test_a_size_is_cached_too() -> None:
    """An unsynced truncation is undone, and a synced extension is filled with zeros."""
    medium = Medium()
    file = made(medium)
    file.write(0, b"long")
    file.sync()
    file.resize(1)
    assert b"l" == file.read(0, 100)
    medium.cut(nothing)
    assert b"long" == file.read(0, 100)
    file.resize(6)
    file.sync()
    medium.cut(nothing)
    assert b"long\0\0" == file.read(0, 100)


def test_a_name_is_kept_by_its_folder() -> None:
    """A file or folder whose name was not synced is lost, even if its data was synced."""
    medium = Medium()
    folder, file = medium.folder(), medium.file()
    medium.root.put(b"data", folder)
    folder.put(b"a", file)
    file.write(0, b"x")
    file.sync()
    folder.sync()
    medium.cut(nothing)
    assert ({}, [1]) == (medium.root.seen, list(medium.nodes))


def test_a_removed_name_comes_back() -> None:
    """An unsynced removal is undone, with the data as last synced."""
    medium = Medium()
    file = made(medium)
    file.write(0, b"x")
    file.sync()
    medium.root.remove(b"a")
    medium.cut(nothing)
    assert b"x" == file_in(medium, b"a").read(0, 100)


def test_sectors_survive_one_by_one() -> None:
    """Any sectors of one write may survive, each whole and in place, without the earlier ones."""
    medium = Medium()
    file = made(medium)
    file.write(0, b"." * (4 * SECTOR))
    file.sync()
    file.write(SECTOR // 2, b"#" * (3 * SECTOR))
    chances = iter([False, True, False, True])
    medium.cut(lambda: next(chances))
    half, whole = SECTOR // 2, SECTOR
    assert b"." * whole + b"#" * whole + b"." * whole + b"#" * half + b"." * half == file.read(0, 10 * SECTOR)


def test_any_share_may_survive() -> None:
    """All, nothing, and many states in between may survive."""
    states = set()
    for seed in range(50):
        medium, chance = Medium(), random.Random(seed)
        file = made(medium)
        for number in range(3):
            file.write(number * SECTOR, b"#" * SECTOR)
        medium.cut(lambda chance=chance: chance.random() < 0.5)  # type: ignore[misc]
        states.add(file.read(0, 10 * SECTOR))
    assert 8 == len(states)
