"""A real Chromium, driven by the DevTools protocol."""

import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")
START_S = 30


@define(eq=False)
class Tab:
    """One tab."""

    connection: ClientConnection
    _numbers: "count[int]" = field(factory=count, init=False)

    def go(self, url: str) -> None:
        """Open a page, and return once it is loaded."""
        self._call("Page.enable")
        self._call("Page.navigate", url=url)
        while json.loads(self.connection.recv(timeout=START_S)).get("method") != "Page.loadEventFired":
            pass

    def run(self, script: str) -> Any:
        """Return what a script of the page returns, or what its promise brings."""
        wrapped = f"(async () => {{ {script} }})()"
        ran = self._call("Runtime.evaluate", expression=wrapped, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in ran, ran
        return ran["result"].get("value")

    def _call(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self.connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self.connection.recv(timeout=START_S))).get("id") != number:
            pass
        assert "result" in answer, answer
        return answer["result"]


@contextmanager
def browsing(folder: Path) -> Iterator[Tab]:
    """Start a browser with a profile of its own, and yield a tab. Where there is no browser, say so; in CI, fail."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        reason = "there is no Chromium here, so nothing is proven of browsers: install Debian's package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    process = subprocess.Popen([program, *FLAGS, f"--user-data-dir={folder}"], stderr=subprocess.DEVNULL)
    try:
        with connect(_tab(folder), max_size=None) as connection:
            yield Tab(connection)
    finally:
        process.terminate()
        process.wait(timeout=START_S)


def _tab(folder: Path) -> str:
    """Return the address of the first tab, once the browser says where it listens."""
    port, deadline = folder / "DevToolsActivePort", time.monotonic() + START_S
    while time.monotonic() < deadline:
        if port.exists() and port.read_text().count("\n"):
            browser = http.client.HTTPConnection("127.0.0.1", int(port.read_text().splitlines()[0]), timeout=START_S)
            browser.request("GET", "/json/list")
            tabs = json.loads(browser.getresponse().read())
            browser.close()
            if pages := [each for each in tabs if each["type"] == "page"]:
                return str(pages[0]["webSocketDebuggerUrl"])
        time.sleep(0.05)  # nothing tells when a browser is ready
    raise AssertionError("the browser did not start")
