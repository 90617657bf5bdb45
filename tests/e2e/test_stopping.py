"""The end of a service with unfinished clients."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.service import running

HEAD = (
    b"POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n"
    b"Expect: 100-continue\r\n\r\n"
)


def test_half_a_body(tmp_path: Path) -> None:
    """A body that does not come keeps no service from ending in order, and its client is told why nothing was made."""
    with running(tmp_path) as service:
        address = urlsplit(service.url)
        with socket.create_connection((address.hostname, address.port), timeout=15) as client:
            client.sendall(HEAD)
            assert b"HTTP/1.1 100 Continue\r\n\r\n" == client.recv(1000)
            client.sendall(b'{"title":')

            assert 0 == service.stop()
            assert b"HTTP/1.1 503" == client.recv(12)
    assert not [line for line in service.said if "Traceback" in line or "Cancel" in line]
