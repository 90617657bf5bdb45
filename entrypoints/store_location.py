"""The file of a store: a relative path means another file in each folder from which the service is started."""

from pathlib import Path

_SQLITE = "sqlite:///"


def absolute(url: str) -> str:
    """Return the URL of the same store, valid from any folder."""
    path = _path(url)
    return url if path is None else f"{_SQLITE}{path.absolute()}"


def overlooked(url: str, program: Path) -> Path | None:
    """Return the file that was probably meant, if a relative URL would start an empty store instead.

    It has the same relative path in a folder around this one, or in the folder of the `program`.
    """
    path = _path(url)
    if path is None or path.is_absolute() or path.exists():
        return None
    elsewhere = (folder / path for folder in (*Path.cwd().parents, program))
    return next((each for each in elsewhere if each.is_file()), None)


def _path(url: str) -> Path | None:
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None
