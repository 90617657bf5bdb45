"""A real service in a process of its own, for tests that kill it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
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


def command(*arguments: str) -> list[str]:
    """Return the command line of backroom."""
    return [sys.executable, "-m", "backroom.entrypoints", *arguments]


def environment(**settings: str) -> dict[str, str]:
    """Return an environment in which only these settings are made."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BACKROOM_")}
    return {**clean, **{f"BACKROOM_{name.upper()}": value for name, value in settings.items()}}


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Service]:
    """Run a service on a free port, by default on a file in `folder`; end it afterwards, however the test ends."""
    chosen = {"store": f"sqlite:///{folder / 'backroom.db'}", "port": "0", **settings}
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            command("serve"), env=environment(**chosen), cwd=folder, text=True, stderr=subprocess.PIPE, stdout=log
        )
    try:
        yield Service(process, _announced(process, folder / "log"))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def _announced(process: subprocess.Popen[str], log: Path) -> str:
    """Return the URL that the service says it listens on, and leave the rest of what it says to a file."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"listening on (http://\S+)", line):
            _drain(process, log)
            return found.group(1)
        with log.open("a") as file:
            file.write(line)
    raise AssertionError(f"the service ended with {process.wait()}: {log.read_text()}")


def _drain(process: subprocess.Popen[str], log: Path) -> None:
    """Copy what is still to come to a file, in a process that ends with its source."""
    assert process.stderr is not None
    with log.open("a") as file:
        subprocess.Popen(["cat"], stdin=process.stderr, stdout=file)
