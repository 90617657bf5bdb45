"""Slow requests of a real service say where their time went."""

import json
import socket
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tests.e2e.service import Service, running

BODY = b'{"title": "x"}'
HEAD = b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEAD += b"Content-Length: %d\r\n\r\n" % len(BODY)


def lines(service: Service) -> list[Any]:
    """Return the lines of requests of a service that has ended."""
    return [each for each in map(json.loads, service.said) if "status" in each]


def test_where_the_time_went(tmp_path: Path) -> None:
    """A body that comes late, a write that waits for the writer, a look-up of the key: each is a phase of its own."""
    with running(tmp_path, slow="0ms", log="json") as service:
        host, port = service.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(HEAD)
            with service.client() as client:  # its answer proves that the service has read the head
                client.get("/tasks/1")
            connection.sendall(BODY)
            assert b" 201 " in connection.recv(1000)
        with connect(f"{service.url}/ws".replace("http", "ws")):
            pass
        assert 0 == service.stop()
    found = {(each["method"], each["path"]): each for each in lines(service)}
    got, post = found["GET", "/tasks/1"]["slow"], found["POST", "/tasks"]["slow"]
    assert got["admission_ms"] > 0 == got["body_ms"] == got["queue_ms"]
    for phase in ("admission", "body", "queue", "store", "sending", "other"):
        assert post[f"{phase}_ms"] > 0, phase
    assert abs(sum(post.values()) - found["POST", "/tasks"]["duration_ms"]) < 1
    assert found["WEBSOCKET", "/ws"]["slow"]["changes_ms"] > 0


def test_quick_requests_say_nothing(tmp_path: Path) -> None:
    """A request below the limit has its usual line, and so has one that waited for changes for longer."""
    with running(tmp_path, slow="999999s", log="json") as service, service.client() as client:
        client.get("/tasks")
        assert 0 == service.stop()
    assert ["slow" in each for each in lines(service)] == [False]


def test_a_poll_that_waits_is_not_slow(tmp_path: Path) -> None:
    """Waiting for changes is no work, so a poll that waited for three seconds is below a limit of two."""
    with running(tmp_path, slow="2s", log="json") as service, service.client() as client:
        client.get("/changes?wait=3&after=now")
        assert 0 == service.stop()
    (line,) = lines(service)
    assert line["duration_ms"] >= 3000
    assert "slow" not in line
