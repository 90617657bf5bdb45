"""The files of a store, as the operating system knows them."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import apsw
from attrs import frozen

RESCUED = ".rescued-"

ROOM = 1024 * 1024
"""How many bytes must be free on the disk for the largest usual write."""

Identity = tuple[int, int]
"""The device and inode number of a file, which identify it."""


class NotAStore(Exception):
    """The file is not a store of this program, or it is unclear whether it is the right one."""


class Misplaced(Exception):
    """A file is no longer in its place, or another file took that place."""


@frozen(eq=False)
class OpenFiles:
    """The files that SQLite has open for a store. SQLite goes on using them even after they are moved or removed.

    These are the database file, the write-ahead log with the newest writes, and its index, through which other
    processes see those writes.
    """

    _identities: Mapping[str, Identity | None]

    @classmethod
    def of(cls, path: Path) -> "OpenFiles":
        """Return the files of a store that has just been opened."""
        real = path.resolve()  # for a symbolic link, the other files are beside its target
        names = (path, real.with_name(f"{real.name}-wal"), real.with_name(f"{real.name}-shm"))
        return cls({each: _identity(each) for each in map(str, names)})

    def check(self) -> None:
        """Raise `Misplaced` if one of them was removed, moved or replaced."""
        for path, before in self._identities.items():
            now = _identity(path)
            if now != before:
                what = "removed or moved away" if now is None else "replaced by another file"
                raise Misplaced(f"{path} was {what} while it was in use")

    def remove_log(self) -> None:
        """Remove the write-ahead log and its index, if they are still those of the store.

        SQLite would replay them into any file that takes the place of the database, and so damage it.
        """
        for path, before in self._identities.items():
            if path.endswith(("-wal", "-shm")) and _identity(path) == before:
                with suppress(OSError):  # the copy is safe all the same
                    Path(path).unlink()


def _identity(path: str) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - runs before every commit, and a Path is slower
    except OSError:
        return None
    return found.st_dev, found.st_ino


def has_room(path: Path) -> bool:
    """Return whether the disk has room for a usual write. A small write may still fit after a larger one failed."""
    disk = os.statvfs(path.parent)
    return disk.f_bavail * disk.f_frsize >= ROOM


def make_folder(path: Path) -> None:
    """Create the folder of a file and its parents, and sync them so that they survive a power cut."""
    missing = [each for each in path.parents if not each.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    for each in missing:  # SQLite syncs the names in the folder, but not the name of the folder
        _sync(each.parent)


def rescue(connection: apsw.Connection, path: Path, files: OpenFiles) -> str:
    """Copy the data that a connection sees to a file beside its own; return where, or why that failed.

    Once the copy is safe, the write-ahead log is removed, so that the owner only has to move the copy into place.
    """
    target = path.with_name(f"{path.name}{RESCUED}{os.getpid()}")
    try:
        make_folder(path)
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))  # others may have no right to read the data
        connection.execute("VACUUM INTO ?", (str(target),))
        _sync(target.parent)
        files.remove_log()
    except (apsw.Error, OSError) as error:
        return f"what was acknowledged could not be saved in {target} ({error})"
    return f"all that was acknowledged is in {target}: move that to {path}, or remove it, before the next start"


def check_rescued(path: Path) -> None:
    """Raise `NotAStore` while a rescued copy exists: the owner must first decide which of the two is the store."""
    for each in path.parent.iterdir():
        if each.name.startswith(path.name + RESCUED):
            raise NotAStore(
                f"{each} has all that was acknowledged when {path} was removed or replaced while it was in use:"
                f" put it in the place of {path}, without a {path.name}-wal beside it, or remove it, and start again"
            )


def check_one_name(path: Path) -> None:
    """Raise `NotAStore` for a file that has another name, a hard link.

    SQLite keeps a write-ahead log for each name, so two processes with two names lose each other's writes.
    """
    names = path.stat().st_nlink if path.is_file() else 1
    if names > 1:
        raise NotAStore(
            f"{path} has {names} names (hard links), and what is written under one of them can be lost under another:"
            " remove the others, or let them be copies"
        )


def _sync(folder: Path) -> None:
    with suppress(PermissionError):  # a folder may be writable but not readable
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
