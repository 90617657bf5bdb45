"""A furnished store in each place that can be verified."""

from pathlib import Path

import pytest

from tests.contract.places import PLACES
from tests.inspection.furnished import furnished


@pytest.fixture(params=PLACES)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a furnished store, in each kind of place."""
    return await furnished(await PLACES[request.param](tmp_path, "left"))


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """Return a file with a furnished store."""
    await furnished(await PLACES["sqlite"](tmp_path, "left"))
    return tmp_path / "left.db"
