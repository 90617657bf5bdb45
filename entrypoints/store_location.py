"""Where a store is. A relative path means another file in each folder from which the service is started."""

import os
from pathlib import Path

from entrypoints.settings import PREFIX, Settings

_SQLITE = "sqlite:///"


def url_of(named: str | None) -> str:
    """Return the URL of the store that a command is about: the one that it names, or that of the service."""
    return named or os.environ.get(f"{PREFIX}STORE") or Settings().store


def file_of(url: str) -> Path | None:
    """Return the file of a store in SQLite, and None for any other store."""
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def absolute(url: str) -> str:
    """Return the URL of the same store, valid from any folder."""
    path = file_of(url)
    return url if path is None else f"{_SQLITE}{path.absolute()}"


def overlooked(url: str, program: Path) -> Path | None:
    """Return the file that was probably meant, if a relative URL would start an empty store instead.

    It has the same relative path in a folder around this one, or in the folder of the `program`.
    """
    path = file_of(url)
    if path is None or path.is_absolute() or path.exists():
        return None
    elsewhere = (folder / path for folder in (*Path.cwd().parents, program))
    return next((each for each in elsewhere if each.is_file()), None)
