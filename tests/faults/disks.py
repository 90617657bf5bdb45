"""A disk that fails on demand under SQLite: every database opened meanwhile writes through it."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

REAL = "unix"


class Disk(apsw.VFS):
    """Passes everything to the real disk; on demand it raises a given error instead."""

    def __init__(self) -> None:
        super().__init__("faulty", REAL, makedefault=True)
        self.on_write: type[apsw.Error] | None = None
        self.on_sync: type[apsw.Error] | None = None
        self.failures = 0

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "File":  # noqa: N802 - SQLite's name
        return File(self, name, flags)

    def fail(self, error: type[apsw.Error] | None) -> None:
        """Raise the given error, if any, and count it."""
        if error is not None:
            self.failures += 1
            raise error("told to fail")


class File(apsw.VFSFile):
    """One file on the disk."""

    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(REAL, name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.fail(self._disk.on_write)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.fail(self._disk.on_sync)
        super().xSync(flags)


@contextmanager
def faulty_disk() -> Iterator[Disk]:
    """Put the disk under every database that this process opens in the block."""
    disk = Disk()
    try:
        yield disk
    finally:
        disk.unregister()
