"""The file of a store, as the operating system knows it."""

import os
from contextlib import suppress
from pathlib import Path


def make_folder(path: Path) -> None:
    """Make the folder of a file, and those on the way to it, so that a power cut leaves them there."""
    missing = [each for each in path.parents if not each.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    for each in missing:  # SQLite keeps the names in the folder, and not the name of the folder
        _sync(each.parent)


def _sync(folder: Path) -> None:
    with suppress(PermissionError):  # it may be one that we may write to and not read
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
