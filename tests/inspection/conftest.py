"""A populated store in each place that can be verified."""

from pathlib import Path

import pytest

from tests.contract.locations import LOCATIONS
from tests.inspection.populated import populated


@pytest.fixture(params=LOCATIONS)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a populated store, in each kind of place."""
    return await populated(await LOCATIONS[request.param](tmp_path, "left"))


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """Return a file with a populated store."""
    await populated(await LOCATIONS["sqlite"](tmp_path, "left"))
    return tmp_path / "left.db"
