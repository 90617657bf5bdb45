"""Files that appear whole or not at all."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EEXIST
from pathlib import Path
from typing import BinaryIO


def taken(file: Path, *, replace: bool) -> str | None:
    """Say why a new file may not have this name."""
    if not file.exists():
        return None
    if not file.is_file():
        return f"{file} is not a regular file"
    return None if replace else f"{file} is there already; --replace lets the new one take its place"


@contextmanager
def appearing(file: Path) -> Iterator[BinaryIO]:
    """Yield a file to write to. It gets its name, and lasts, when the block ends; after an error it is gone.

    Until then it is beside it, as FILE.partial. One that a killed process left is overwritten. Raises `OSError`, also
    while another process writes the same file.
    """
    partial = partial_of(file)
    with partial.open("ab") as out:
        if not _is_ours(out, partial):
            raise FileExistsError(EEXIST, "another process is writing it", str(file))
        try:
            out.truncate(0)
            yield out
            out.flush()
            os.fsync(out.fileno())
            put(partial, file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _is_ours(out: BinaryIO, partial: Path) -> bool:
    """Lock the file. When its last writer was just ready, it may have another name by now."""
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(out.fileno()), partial.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def partial_of(file: Path) -> Path:
    """Return the name of a file that is not whole yet."""
    return file.with_name(f"{file.name}.partial")


def put(partial: Path, file: Path) -> None:
    """Give a file, which was synced, its name, so that it lasts: this syncs its folder."""
    partial.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
