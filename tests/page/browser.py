"""A real Chromium, driven by playwright, and a watch on what pages do in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from attrs import define, field
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Request,
    Response,
    WebError,
    WebSocket,
    expect,
)
from playwright.sync_api import sync_playwright as driver

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox",)  # root has no sandbox
TIMEOUT_MS = 30_000
OF_SCRIPTS = ("fetch", "xhr", "eventsource")  # the page itself decides what an error of these means


@contextmanager
def started() -> Iterator[Browser]:
    """Start a browser. Where there is none, say so and skip; in CI, fail."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        reason = "there is no Chromium here, so nothing is proven of browsers: install Debian's package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=TIMEOUT_MS)
    with driver() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@define(eq=False, slots=False)  # playwright hangs its wrappers of handlers on the object
class Watch:
    """Collects what no page of the service may do, however well it looks.

    These are console errors, uncaught exceptions, breaches of the policy, requests to other hosts, and missing files.
    """

    origin: str
    complaints: list[str] = field(factory=list, init=False)

    def over(self, context: BrowserContext) -> BrowserContext:
        """Watch every page of a context."""
        context.on("console", self._said)
        context.on("weberror", self._thrown)
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("page", lambda page: page.on("websocket", self._connected))
        return context

    def _said(self, message: ConsoleMessage) -> None:
        # The browser writes this line for every error status, also for those that a page expects.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {message.text}")

    def _thrown(self, error: WebError) -> None:
        self.complaints.append(f"uncaught: {error.error}")

    def _asked(self, request: Request) -> None:
        self._went(request.url)

    def _connected(self, socket: WebSocket) -> None:
        self._went(socket.url.replace("ws", "http", 1))

    def _went(self, url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob", "about") and not url.startswith(f"{self.origin}/"):
            self.complaints.append(f"another host: {url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type not in OF_SCRIPTS:
            self.complaints.append(f"missing: {response.status} {response.url}")
