"""A real service in a process of its own, for tests that kill it."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from attrs import define


@define
class Service:
    """A running `backroom serve`."""

    process: subprocess.Popen[str]
    url: str
    said: Sequence[str]  # line by line, so far; all of it once it was killed or stopped and `running` is over

    def client(self, **options: Any) -> httpx2.Client:
        """Return a client of it."""
        return httpx2.Client(base_url=self.url, timeout=30, **options)

    def kill(self) -> None:
        """End it as a power cut would, without a chance to say goodbye."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)


PROGRAM = (sys.executable, "-m", "entrypoints")


def command(*arguments: str) -> list[str]:
    """Return the command line of backroom."""
    return [*PROGRAM, *arguments]


def environment(**settings: str) -> dict[str, str]:
    """Return an environment in which only these settings are made."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BACKROOM_")}
    return {**clean, **{f"BACKROOM_{name.upper()}": value for name, value in settings.items()}}


@contextmanager
def running(folder: Path, *, program: Sequence[str] = PROGRAM, **settings: str) -> Iterator[Service]:
    """Run a service on a free port, by default on a file in `folder`; end it afterwards, however the test ends."""
    chosen = {"store": f"sqlite:///{folder / 'backroom.db'}", "port": "0", **settings}
    process = subprocess.Popen(
        [*program, "serve"], env=environment(**chosen), cwd=folder, text=True, stderr=subprocess.PIPE
    )
    said = _Said(process)
    said.start()
    try:
        yield Service(process, said.url(), said.lines)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        said.join()


class _Said(threading.Thread):
    """Reads what a service says, so that it never waits for a reader, and keeps it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__()
        assert process.stderr is not None
        self._source = process.stderr
        self.lines: list[str] = []
        self._announced = threading.Event()
        self._url: str | None = None

    def run(self) -> None:
        with self._source:
            for line in self._source:
                self.lines.append(line)
                if found := re.search(r"listening on (http://[^\s\"]+)", line):
                    self._url = found.group(1)
                    self._announced.set()
        self._announced.set()

    def url(self) -> str:
        """Return where the service listens, as soon as it says so."""
        self._announced.wait()
        assert self._url is not None, "".join(self.lines)
        return self._url
