"""The files of a store, as the operating system knows them."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import apsw
from attrs import frozen

RESCUED = ".rescued-"

ROOM = 1024 * 1024
"""How many bytes of a disk must be free for the largest of usual writes."""

Identity = tuple[int, int]
"""The device and the number of a file, which no other file has."""


class NotAStore(Exception):
    """What is there is not a store of this program, or not for certain the one that is meant."""


class Misplaced(Exception):
    """A file is not at its place any more, or another one is."""


@frozen(eq=False)
class OpenFiles:
    """The files that SQLite has open for a store, which it goes on using wherever their names have gone.

    Beside the file itself these are the write-ahead log, which holds the newest writes, and its index, which tells
    other processes of them.
    """

    _identities: Mapping[str, Identity | None]

    @classmethod
    def of(cls, path: Path) -> "OpenFiles":
        """Return the files of a store that has just been opened."""
        real = path.resolve()  # a link leads to the file, and the others are beside that
        names = (path, real.with_name(f"{real.name}-wal"), real.with_name(f"{real.name}-shm"))
        return cls({each: _identity(each) for each in map(str, names)})

    def check(self) -> None:
        """Raise `Misplaced` where one of them was removed, moved or replaced."""
        for path, before in self._identities.items():
            now = _identity(path)
            if now != before:
                what = "removed or moved away" if now is None else "replaced by another file"
                raise Misplaced(f"{path} was {what} while it was in use")


def _identity(path: str) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - it is asked before every commit, and a Path takes longer
    except OSError:
        return None
    return found.st_dev, found.st_ino


def has_room(path: Path) -> bool:
    """Tell whether a write would find some: a small one may fit into what a larger one that failed has left."""
    disk = os.statvfs(path.parent)
    return disk.f_bavail * disk.f_frsize >= ROOM


def make_folder(path: Path) -> None:
    """Make the folder of a file, and those on the way to it, so that a power cut leaves them there."""
    missing = [each for each in path.parents if not each.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    for each in missing:  # SQLite keeps the names in the folder, and not the name of the folder
        _sync(each.parent)


def rescue(connection: apsw.Connection, path: Path) -> str:
    """Write a copy of what a connection sees beside the place of its file, and say where, or why there is none."""
    target = path.with_name(f"{path.name}{RESCUED}{os.getpid()}")
    try:
        make_folder(path)
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))  # whoever could not read the file reads no copy
        connection.execute("VACUUM INTO ?", (str(target),))
        _sync(target.parent)
    except (apsw.Error, OSError) as error:
        return f"what was acknowledged could not be saved in {target} ({error})"
    return f"all that was acknowledged is in {target}"


def check_rescued(path: Path) -> None:
    """Raise `NotAStore` while there is a rescued copy: nobody has decided yet which of the two is the store."""
    for each in path.parent.iterdir():
        if each.name.startswith(path.name + RESCUED):
            raise NotAStore(
                f"{each} has all that was acknowledged when {path} was removed or replaced while it was in use:"
                f" put it in the place of {path}, or remove it, and start again"
            )


def _sync(folder: Path) -> None:
    with suppress(PermissionError):  # it may be one that we may write to and not read
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
