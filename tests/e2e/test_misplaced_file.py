"""The file of a running service is removed."""

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from entrypoints.workers import UNTRUSTWORTHY
from tests.e2e.service import running
from tests.e2e.test_durability import titles

HEALTH, READY = (f"GET /{each} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for each in ("healthz", "readyz"))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_service_ends_and_loses_nothing(tmp_path: Path, workers: str) -> None:
    """It acknowledges no more, says why and where the copy is, ends for good, and is whole once that is put back."""
    path = tmp_path / "backroom.db"
    with running(tmp_path, workers=workers) as service:
        with service.client() as client:
            assert [201] * 5 == [client.post("/tasks", json={"title": f"t{n}"}).status_code for n in range(5)]
        path.unlink()
        host, port = service.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as client, suppress(ConnectionResetError):
            client.sendall(HEALTH * 3 + READY)
            while client.recv(1 << 16):
                pass  # it may end before it answers the last
        assert UNTRUSTWORTHY == service.process.wait(timeout=15)
    (copy,) = tmp_path.glob("backroom.db.rescued-*")
    said = (
        f"{path} was removed or moved away while it was in use; all that was acknowledged is in {copy}: move that to"
        f" {path}, or remove it, before the next start; stopping\n"
    )
    assert 1 == sum(line.endswith(said) for line in service.said)
    answered = [line for line in service.said if " 201 POST /tasks " in line or " 200 GET /healthz " in line]
    assert 8 == len(answered)  # no request is missing in the log
    with pytest.raises(AssertionError, match=f"{copy} has all that was acknowledged"), running(tmp_path):
        pass
    copy.rename(path)
    with running(tmp_path) as service:
        assert [f"t{n}" for n in range(5)] == titles(service)
