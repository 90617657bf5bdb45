"""Starting, watching and stopping the compared servers, each alone on the first core."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import socket
from time import perf_counter, sleep

import attrs

from tests.benchmarks.load import HOST, LoadError
from tests.benchmarks.machine import delayed

UVICORN = (
    sys.executable,
    "-m",
    "uvicorn",
    "--loop=uvloop",
    "--http=httptools",
    "--no-access-log",
    "--log-level=warning",
)


@attrs.frozen
class Service:
    """How to start a server: its command and environment for a port, and a path that returns 200."""

    name: str
    command: Callable[[int], list[str]]
    environment: Callable[[int], dict[str, str]] = lambda _: {}
    probe: str = "/"


@attrs.frozen
class Server:
    """A running server process.

    Attributes:
        start: seconds from its creation to its first response.
    """

    name: str
    port: int
    pid: int
    start: float

    def memory(self) -> int:
        """Return the resident memory in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def delayed(self) -> float:
        """Return the seconds for which its event loop was ready to run, and other processes had the core."""
        return delayed(self.pid)


def bare() -> Service:
    """Describe (a), the limit."""
    return Service("(a)", lambda port: [*UVICORN, f"--port={port}", "tests.benchmarks.bare:app"])


def tutorial(factory: str) -> Service:
    """Describe (b), the tutorial's application, `plain` or `timed`."""
    return Service(
        f"(b) {factory}", lambda port: [*UVICORN, f"--port={port}", "--factory", f"tests.benchmarks.tutorial:{factory}"]
    )


def bare_postgres(dsn: str) -> Service:
    """Describe (d), the limit in front of a database."""
    return Service(
        "(d)",
        lambda port: [*UVICORN, f"--port={port}", "tests.benchmarks.bare_postgres:app"],
        lambda _: {"DSN": dsn},
    )


def backroom(executable: str, name: str, store: str, workers: int = 1) -> Service:
    """Describe (c), the service as a user would run it, on the store of an address."""
    return serving([executable], name, store, workers)


def sqlite(file: Path) -> str:
    """Return the address of the store in a file."""
    return f"sqlite:///{file.absolute()}"


def feedless(store: str) -> Service:
    """Describe (c) without its feed."""
    return serving([sys.executable, "-m", "tests.benchmarks.feedless"], "(c) without a feed", store)


def serving(program: list[str], name: str, store: str, workers: int = 1) -> Service:
    """Describe a program that starts like (c)."""

    def environment(port: int) -> dict[str, str]:
        address = {"BACKROOM_HOST": HOST, "BACKROOM_PORT": str(port)}
        return {"BACKROOM_STORE": store, "BACKROOM_WORKERS": str(workers), **address}

    return Service(name, lambda _: [*program, "serve"], environment, "/healthz")


@contextmanager
def running(service: Service, folder: Path, cores: tuple[int, int]) -> Iterator[Server]:
    """Start a server on the first of two cores, yield it once it responds, and stop it at the end.

    Its output goes to a file in `folder`.
    """
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BACKROOM_")}
    log = folder / f"{service.name}.log"
    with log.open("ab") as output:
        os.sched_setaffinity(0, cores[:1])  # a child inherits it, so every thread of the server has it from the start
        start = perf_counter()
        process = subprocess.Popen(
            service.command(port),
            env=inherited | service.environment(port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        os.sched_setaffinity(0, cores[1:])
    try:
        wait_for_answer(service, process, port)
        yield Server(service.name, port, process.pid, perf_counter() - start)
    except LoadError as error:
        if printed := log.read_text(encoding="utf-8", errors="replace")[-2_000:]:
            error.add_note(f"{service.name} printed: {printed}")
        raise
    finally:
        stop(process)


def free_port() -> int:
    """Return a free port."""
    with socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_answer(service: Service, process: subprocess.Popen[bytes], port: int) -> None:
    """Send requests until one gets 200, for a minute at most, and only while the process runs."""
    deadline = perf_counter() + 60
    while process.poll() is None and perf_counter() < deadline:
        try:
            if get(port, service.probe)[0] == 200:
                return
        except (OSError, HTTPException):
            pass
        sleep(0.002)
    raise LoadError(f"{service.name} does not answer {service.probe} with 200")


def get(port: int, path: str) -> tuple[int, bytes]:
    """Return the status and the body of one response."""
    connection = HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server as an operator would, or by force after a timeout."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
