"""Following a real service with a published client: over kills, from another process, and as a bad client."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.e2e.service import Service, running

KILLS = 5
LARGEST = 64 * 1024
SOON = 60.0  # seconds, for what happens in a few, on a machine that has more to do


def socket(service: Service, after: str | None = None, **options: Any) -> ClientConnection:
    """Open a WebSocket to a service."""
    query = "" if after is None else f"?after={after}"
    opened: ClientConnection = connect(service.url.replace("http", "ws", 1) + "/ws" + query, **options)
    return opened


def told(following: ClientConnection) -> dict[str, Any]:
    """Return the next message."""
    message: dict[str, Any] = json.loads(following.recv(timeout=SOON))
    return message


def ended(following: ClientConnection) -> int | None:
    """Return the code with which a socket was closed, which is all that was still to come."""
    with pytest.raises(ConnectionClosed) as closed:
        told(following)
    return None if closed.value.rcvd is None else closed.value.rcvd.code


def log(service: Service) -> list[dict[str, Any]]:
    """Return every change, by polling."""
    found: list[dict[str, Any]] = []
    with service.client() as client:
        path = "/changes?limit=1000"
        while (answer := client.get(path).json())["changes"]:
            found += answer["changes"]
            path = f"/changes?limit=1000&after={answer['cursor']}"
    return found


class Follower(threading.Thread):
    """Follows a service until that is gone, and keeps the changes that it is told."""

    def __init__(self, service: Service, after: str) -> None:
        super().__init__()
        self.changes: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        self._socket = socket(service, after)

    def run(self) -> None:
        with self._socket as following, suppress(ConnectionClosed):
            while True:
                message = told(following)
                if message["type"] != "ready":
                    with self._heard:
                        self.changes.append(message)
                        self._heard.notify()

    def hear(self, changes: int) -> None:
        """Return once it has been told of so many changes."""
        with self._heard:
            assert self._heard.wait_for(lambda: len(self.changes) >= changes, SOON)


class Writer(threading.Thread):
    """Creates tasks until the service is gone, and counts those that were acknowledged."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.acknowledged = 0
        self._client = service.client()

    def run(self) -> None:
        with self._client as client, suppress(httpx2.TransportError):
            while client.post("/tasks", json={"title": "x"}).status_code == 201:
                self.acknowledged += 1


def test_resuming_over_kills(tmp_path: Path) -> None:
    """With nothing but its last cursor a client is told everything once, in order, however the service ends."""
    random, found, acknowledged = Random(4), [], 0
    with running(tmp_path) as service, service.client() as client:
        after = client.get("/changes?after=now").json()["cursor"]
    for _ in range(KILLS):
        with running(tmp_path) as service:
            follower, writers = Follower(service, after), [Writer(service) for _ in range(3)]
            for each in (follower, *writers):
                each.start()
            follower.hear(random.randrange(20, 200))
            service.kill()
            for each in (follower, *writers):
                each.join()
        found += follower.changes
        after = found[-1]["cursor"]
        acknowledged += sum(each.acknowledged for each in writers)
    with running(tmp_path) as service:
        with socket(service, after) as following:
            while (message := told(following))["type"] != "ready":
                found.append(message)
        assert log(service) == found
    assert len(found) >= acknowledged > 0


def test_a_write_in_another_process(tmp_path: Path) -> None:
    """It reaches the followers of this one."""
    with running(tmp_path) as one, running(tmp_path) as other, socket(one) as following:
        assert "ready" == told(following)["type"]
        for number in range(1, 4):
            with other.client() as client:
                client.post("/tasks", json={"title": "x"})
            assert number == told(following)["id"]


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service for bad clients, which must not make it say anything but a line for each request."""
    with running(tmp_path_factory.mktemp("bad")) as service:
        yield service
        assert 0 == service.stop()
    assert [] == [line for line in service.said[1:] if "WEBSOCKET /ws" not in line]


def test_the_largest_message(bad: Service) -> None:
    """Messages of a client have no effect, up to 64 KiB; a longer one ends its WebSocket."""
    with socket(bad) as following:
        told(following)
        following.send("x" * LARGEST)
        following.ping().wait(SOON)
        following.send("x" * (LARGEST + 1))
        assert 1009 == ended(following)


def test_hostile_frames(bad: Service) -> None:
    """They are answered with their code; the fixture looks into the log."""
    for frames, code in (
        (b"\x81\x81\0\0\0\0\xff", 1007),
        (b"\xc1\x81\0\0\0\0a", 1002),
        (b"\x81\x01a", 1002),
        (b"\xff" * 500, 1002),
    ):
        with socket(bad) as following:
            told(following)
            following.socket.sendall(frames)
            assert code == ended(following)


def test_no_compression(bad: Service) -> None:
    """A client that offers to compress messages is not taken up on it."""
    with socket(bad, compression="deflate") as following:
        assert [] == following.protocol.extensions


def test_another_origin(bad: Service) -> None:
    """The pages of others cannot follow; the service's own can."""
    with pytest.raises(InvalidStatus) as refused:
        socket(bad, origin="https://example.com")
    response = refused.value.response
    assert (403, "bad_origin") == (response.status_code, json.loads(response.body or b"{}")["code"])
    with socket(bad, origin=bad.url) as following:
        assert "ready" == told(following)["type"]


def test_a_cursor_of_another_log(bad: Service) -> None:
    """It is told from one that has expired."""
    with socket(bad, "0000000000000000-1") as following:
        assert 4400 == ended(following)
