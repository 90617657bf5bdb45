"""The file of a running service is removed."""

from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from entrypoints.workers import UNTRUSTWORTHY
from tests.e2e.service import running
from tests.e2e.test_durability import titles


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_service_ends_and_loses_nothing(tmp_path: Path, workers: str) -> None:
    """It acknowledges no more, says why and where the copy is, ends for good, and is whole once that is put back."""
    path = tmp_path / "backroom.db"
    with running(tmp_path, workers=workers) as service:
        with service.client() as client:
            assert [201] * 5 == [client.post("/tasks", json={"title": f"t{n}"}).status_code for n in range(5)]
        path.unlink()
        with service.client() as client, suppress(httpx2.TransportError):  # it may end before it answers
            assert 503 == client.get("/readyz").status_code
        assert UNTRUSTWORTHY == service.process.wait(timeout=15)
    (copy,) = tmp_path.glob("backroom.db.rescued-*")
    said = f"{path} was removed or moved away while it was in use; all that was acknowledged is in {copy}; stopping\n"
    assert 1 == sum(line.endswith(said) for line in service.said)
    with pytest.raises(AssertionError, match=f"{copy} has all that was acknowledged"), running(tmp_path):
        pass
    copy.rename(path)
    with running(tmp_path) as service:
        assert [f"t{n}" for n in range(5)] == titles(service)
