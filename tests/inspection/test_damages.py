"""Each damage is found and named, in each kind of store."""

from pathlib import Path

import pytest

from tests.databases import shared_databases
from tests.inspection.damages import DAMAGES, NUMBERED_LATE, SOUND, do
from tests.inspection.populated import found, populated, said

pytestmark = pytest.mark.anyio


async def test_a_sound_store(place: str) -> None:
    """Nothing is found in a store that has something of everything."""
    assert [] == said(await found(place))


@pytest.mark.parametrize("name", SOUND)
async def test_no_damage(place: str, name: str) -> None:
    """What older versions wrote is sound."""
    await do(place, SOUND[name])
    if "purged" in name:
        await do(place, NUMBERED_LATE[place.partition(":")[0]])
    assert [] == said(await found(place))


@pytest.mark.parametrize("name", [name for name, each in DAMAGES.items() if each.statements("sqlite:///")])
async def test_a_damaged_file(file: Path, name: str) -> None:
    """A damage to a file is named: where it is, what is there, and what should be."""
    url = f"sqlite:///{file}"
    await do(url, DAMAGES[name].statements(url))
    _check(said(await found(url)), DAMAGES[name].said)


@pytest.mark.parametrize("name", [name for name, each in DAMAGES.items() if each.statements("postgresql://")])
async def test_a_damaged_database(name: str) -> None:
    """A damage to a database is named in the same words."""
    async with shared_databases().blank() as url:
        await populated(url)
        await do(url, DAMAGES[name].statements(url))
        _check(said(await found(url)), DAMAGES[name].said)


def _check(lines: list[str], expected: tuple[str, ...]) -> None:
    missing = [each for each in expected if not any(line.startswith(each) for line in lines)]
    assert [] == missing, lines
