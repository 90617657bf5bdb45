"""The locations of movable stores. A store takes part with a function that empties its location, and its line below."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from domain.ports import Store
from domain.registry import ENTITY_TYPES
from domain.use_cases.move import move, names_of_log
from entrypoints.stores import exporting, importing
from tests.builders import SERIALIZER, Clock
from tests.databases import open_store, shared_databases

NAMES = ("left", "right")

Emptied = Callable[[Path, str], Awaitable[str]]
"""Returns the URL of an empty location with the given name, in a folder if needed."""


async def sqlite(folder: Path, name: str) -> str:
    """Return the URL of a missing file."""
    for file in folder.glob(f"{name}.db*"):
        file.unlink()
    return f"sqlite:///{folder}/{name}.db"


async def postgres(_: Path, name: str) -> str:
    """Return the URL of a database with an empty store."""
    return await shared_databases().empty(name + "_place")


LOCATIONS: dict[str, Emptied] = {"sqlite": sqlite, "postgres": postgres}


async def emptied(url: str, folder: Path) -> str:
    """Empty a location again."""
    name = next(name for name in NAMES if f"/{name}.db" in url or f"/{name}_place?" in url)
    return await LOCATIONS["sqlite" if url.startswith("sqlite") else "postgres"](folder, name)


async def opened(url: str, clock: Clock) -> Store:
    """Open the store at a URL."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return SqliteStore(
            path, entity_types=ENTITY_TYPES, documents=SERIALIZER, clock=clock, on_untrustworthy=pytest.fail
        )
    return await open_store(url, clock)


async def moved(source: str, target: str) -> int:
    """Move everything from one location to another."""
    async with exporting(source) as export, importing(target, await names_of_log(export)) as importer:
        return await move(export, importer, lambda *_: None)
