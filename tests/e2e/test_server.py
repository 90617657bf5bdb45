"""The server in a process of its own: how it starts, what it tells, and how it ends."""

import http.client
import json
import multiprocessing
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import define

from entrypoints.server import Server, config, listen, most_connections, url

ANNOUNCEMENT = re.compile(r"backroom: listening on http://127\.0\.0\.1:(\d+)\n")
ENDS = 30  # seconds; a server that is stopped ends within ten, whatever hangs


@define
class Process:
    """A server that runs."""

    process: subprocess.Popen[str]
    port: int

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit code, and what it said until it and all its workers had ended."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=ENDS)
        return self.process.returncode, said

    @contextmanager
    def response(self, **headers: str) -> Iterator[http.client.HTTPResponse]:
        """Ask, and yield the response, of which not more than the headers must have come."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ENDS)
        connection.request("GET", "/", headers=headers)
        with closing(connection), connection.getresponse() as response:
            yield response

    def get(self, **headers: str) -> Any:
        """Return what the application reports."""
        with self.response(**headers) as response:
            return json.loads(response.read())


class Start:
    """Starts servers, and kills what is left of them at the end."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[str]] = []

    def process(self, application: str, *arguments: str, port: int = 0, **environment: str) -> subprocess.Popen[str]:
        """Start a server without waiting for it."""
        few_files = ("sh", "-c", 'ulimit -Sn 256 && exec "$@"', "sh")
        served = (sys.executable, "-W", "error", "-m", "tests.e2e.applications", application, str(port), *arguments)
        process = subprocess.Popen(
            (*few_files, *served),
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )
        self._processes.append(process)
        return process

    def __call__(self, application: str, *arguments: str) -> Process:
        process = self.process(application, *arguments)
        assert process.stderr is not None
        line = process.stderr.readline()
        announced = ANNOUNCEMENT.fullmatch(line)
        assert announced, line
        return Process(process, int(announced[1]))

    def end(self) -> None:
        """Kill what is left."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a server with the name of its application and the number of its workers."""
    start = Start()
    yield start
    start.end()


def failed(process: subprocess.Popen[str]) -> str:
    """Return what a server said that could not start."""
    _, said = process.communicate(timeout=ENDS)
    assert 1 == process.returncode
    return said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("workers", ["1", "3"])
def test_stop(start: Start, workers: str, number: int) -> None:
    """A signal to stop ends all processes with 0, and with nothing more to say."""
    server = start("reporting", workers)
    server.get()

    assert (0, "") == server.stop(number)


@pytest.mark.parametrize("workers", ["1", "3"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_stop_at_the_terminal(start: Start, workers: str, number: int) -> None:
    """Ctrl-C, and the end of the terminal, go to every process at once, and end them in the same way."""
    server = start("reporting", workers)
    server.get()

    os.killpg(server.process.pid, number)

    assert ("", 0) == (server.process.communicate(timeout=ENDS)[1], server.process.returncode)


@pytest.mark.parametrize("workers", ["1", "3"])
def test_going_on_without_a_terminal(start: Start, workers: str) -> None:
    """A service that was started with SIGHUP ignored, as by nohup, survives the end of the terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        server = start("reporting", workers)
    finally:
        signal.signal(signal.SIGHUP, before)
    os.killpg(server.process.pid, signal.SIGHUP)

    assert server.get()["pid"]
    assert (0, "") == server.stop()


@pytest.mark.parametrize("workers", ["1", "3"])
def test_stop_waits_for_requests(start: Start, workers: str) -> None:
    """Requests in progress are finished, and an endless application learns that it must stop."""
    server = start("ending", workers)
    with server.response() as response:
        assert b"going" == response.read(5)

        assert (0, "") == server.stop()
        assert b" gone" == response.read()


@pytest.mark.parametrize("workers", ["1", "3"])
def test_stop_does_not_wait_for_ever(start: Start, workers: str) -> None:
    """A request that does not end is cut off."""
    server = start("endless", workers)
    with server.response() as response:
        assert b"going" == response.read(5)

        code, said = server.stop()

        assert 0 == code
        assert "Cancel 1 running task(s)" in said
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            response.read()


def test_stop_of_a_process_that_hangs(start: Start) -> None:
    """A process that can do nothing any more ends all the same, and says that this was not in order."""
    server = start("blocking", "1")
    with server.response() as response:
        assert b"going" == response.read(5)

        assert (1, "backroom: could not end in time, and ends now\n") == server.stop()


def test_stop_of_a_worker_that_hangs(start: Start) -> None:
    """A worker that can do nothing any more does not keep the service from ending in order."""
    server = start("blocking", "3")
    with server.response() as response:
        assert b"going" == response.read(5)

        code, said = server.stop()

        assert 0 == code
        assert re.fullmatch(r"backroom: could not end in time, and ends now\nbackroom: worker \d+ ended with 1\n", said)


def test_stop_with_a_client_that_does_not_close(start: Start) -> None:
    """A client that keeps its half of the connection open is not waited for."""
    server = start("reporting", "1")
    with socket.create_connection(("127.0.0.1", server.port), timeout=ENDS) as client:
        client.sendall(b"?\r\n")
        assert b"HTTP/1.1 400" == client.recv(12)

        assert (0, "") == server.stop()


@pytest.mark.parametrize("workers", ["1", "3"])
def test_stop_closes_websockets(start: Start, workers: str) -> None:
    """A WebSocket is told that the service restarts."""
    server = start("reporting", workers)
    with socket.create_connection(("127.0.0.1", server.port), timeout=ENDS) as client:
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        with client.makefile("rb") as stream:
            assert b"HTTP/1.1 101 Switching Protocols\r\n" == stream.readline()
            while stream.readline() != b"\r\n":
                pass

            assert (0, "") == server.stop()
            assert b"\x88\x02" + (1012).to_bytes(2) == stream.read()


@pytest.mark.parametrize("workers", ["1", "3"])
def test_port_in_use(start: Start, workers: str) -> None:
    """A port in use is one line and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        said = failed(start.process("reporting", workers, port=port))

    assert f"backroom: cannot listen on http://127.0.0.1:{port}: Address already in use\n" == said


def test_address_of_another_machine(start: Start) -> None:
    """An address that this machine does not have is one line and exit code 1."""
    said = failed(start.process("reporting", "1", port=8000, LISTEN="192.0.2.1"))

    assert "backroom: cannot listen on http://192.0.2.1:8000: Cannot assign requested address\n" == said


@pytest.mark.parametrize("workers", ["1", "3"])
def test_application_does_not_start(start: Start, workers: str) -> None:
    """An application that does not start ends the server with 1, after it has said why and without a traceback."""
    said = failed(start.process("failing", workers))

    assert "the store is not there\n" in said
    assert "Traceback" not in said
    assert "listening" not in said


@pytest.mark.parametrize("workers", ["1", "3"])
def test_no_such_application(start: Start, workers: str) -> None:
    """An application that is not there ends the server with 1, and without a traceback."""
    said = failed(start.process("missing", workers))

    assert '"missing" not found' in said
    assert "Traceback" not in said


def test_workers_are_replaced(start: Start) -> None:
    """A worker that dies is replaced, and the server goes on when more have died than there were."""
    server = start("reporting", "2")
    assert server.process.stderr is not None
    for _ in range(3):
        victim = server.get()["pid"]
        os.kill(victim, signal.SIGKILL)
        assert f"backroom: worker {victim} ended with -9 and is replaced\n" == server.process.stderr.readline()

    assert server.get()["pid"]
    assert (0, "") == server.stop()


def test_the_parent_of_workers_says_json_too(start: Start) -> None:
    """The end of a worker is one JSON object, like every other message."""
    process = start.process("reporting", "2", BACKROOM_LOG="json")
    assert process.stderr is not None
    listening = json.loads(process.stderr.readline())["message"]
    server = Process(process, int(listening.rpartition(":")[2]))
    victim = server.get()["pid"]
    os.kill(victim, signal.SIGKILL)
    assert f"worker {victim} ended with -9 and is replaced" == json.loads(process.stderr.readline())["message"]
    assert (0, "") == server.stop()


def test_workers_do_not_outlive_their_parent(start: Start) -> None:
    """Workers whose parent is killed end by themselves, so that nothing holds the port."""
    server = start("reporting", "3")
    server.get()

    server.process.kill()

    assert "" == server.process.communicate(timeout=ENDS)[1]  # ends when nobody is left who could write
    with socket.create_server(("127.0.0.1", server.port)):
        pass


def test_worker_without_parent_finishes_its_requests(start: Start) -> None:
    """A worker whose parent is killed stops as at a signal: what is in progress gets its whole answer."""
    server = start("ending", "2")
    with server.response() as response:
        assert b"going" == response.read(5)

        server.process.kill()

        assert b" gone" == response.read()


def test_end_of_the_parent_is_noticed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipe that tells the end of the parent stays readable, and must not keep the loop busy."""
    parent, child = socket.socketpair()
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: SimpleNamespace(sentinel=child.fileno()))
    exits: list[int] = []

    class Worker(Server):
        def handle_exit(self, sig: int, frame: object) -> None:
            del frame
            exits.append(sig)
            self.should_exit = True

    parent.close()
    with child:
        Worker(config("tests.e2e.applications:reporting"), ()).run(listen("127.0.0.1", 0))

    assert [signal.SIGTERM] == exits


def test_server_does_not_name_itself(start: Start) -> None:
    """The answers do not tell which server this is."""
    with start("reporting", "1").response() as response:
        assert response.getheader("Server") is None


def test_connections_are_not_limited_by_files(start: Start) -> None:
    """The usual limit of open files is raised, because it would be reached before the limit of connections."""
    assert start("reporting", "1").get()["files"] > 10_000


def test_threads_take_turns_with_the_event_loop(start: Start) -> None:
    """A thread that computes lets the event loop run after a fraction of the time that Python would let it take."""
    assert start("reporting", "1").get()["switch"] < 0.001


@pytest.mark.parametrize(
    ("files", "connections"), [(256, 192), (1024, 768), (8000, 7000), (20_000, 10_000), (-1, 10_000)]
)
def test_fewer_connections_than_files(monkeypatch: pytest.MonkeyPatch, files: int, connections: int) -> None:
    """A process takes fewer connections than it may open files, because its store needs some, too."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))

    assert connections == most_connections()
    assert connections == getattr(config("tests.e2e.applications:reporting").http, "MAX_CONNECTIONS", None)


def test_listen_on_every_address_of_a_name() -> None:
    """A name with several addresses is listened to on one and the same port."""
    sockets = listen("localhost", 0)

    assert 1 == len({each.getsockname()[1] for each in sockets})
    for each in sockets:
        each.close()


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")])
def test_url(host: str, expected: str) -> None:
    """An IPv6 address stands in brackets."""
    assert expected == url(host, 80)
