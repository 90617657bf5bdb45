"""Pages of other sites, in the same browser, can do nothing here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.service import running
from tests.e2e.test_access import new_key
from tests.http.access import bearer
from tests.page.browser import Watch

SIGN_IN = """
(key) => fetch("/session", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({key})})
  .then((answer) => answer.status)
"""
WRITE = """
() => fetch("/tasks", {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"title": "mine"}'})
  .then((answer) => answer.status)
"""
FETCH = """
(url) => fetch(`${url}/tasks`, {method: "POST", mode: "no-cors", credentials: "include", body: '{"title": "theirs"}'})
  .catch(() => null).then(() => null)
"""
FORM = """
(url) => {
  const frame = document.createElement("iframe");
  frame.name = "target";
  document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: `${url}/tasks`, target: "target", enctype: "text/plain"});
  document.body.append(form);
  const loaded = new Promise((done) => { frame.onload = () => done(null); });
  form.submit();
  return loaded;
}
"""
SOCKET = """
(url) => {
  const socket = new WebSocket(`${url}/ws`);
  return new Promise((done) => {
    socket.onmessage = () => { socket.close(); done("message"); };
    socket.onerror = () => done("refused");
  });
}
"""
INJECT = """
() => {
  try {
    const script = document.createElement("script");
    script.textContent = "window.injected = 'ran'";
    document.body.append(script);
    return window.injected;
  } catch { return "refused"; }
}
"""


class Theirs(BaseHTTPRequestHandler):
    """A page of somebody else."""

    def do_GET(self) -> None:
        """Answer with a page that holds nothing."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>theirs</title><body>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def another_site(host: str) -> Iterator[str]:
    """Serve a page of somebody else, and yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Theirs) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{host}:{server.server_port}/"
        server.shutdown()
        thread.join()


def socket_to(page: Page, url: str) -> str:
    """Open a socket from the page that is shown, and return what becomes of it."""
    return str(page.evaluate(SOCKET, url.replace("http", "ws", 1)))


# To a browser, localhost is another site than 127.0.0.1; another port of 127.0.0.1 is the same, and gets the cookie.
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_pages_of_others_are_refused(tmp_path: Path, browser: Browser, host: str) -> None:
    """A page of this service can write and follow by the cookie; forms, scripts and sockets of other pages cannot."""
    key = new_key(tmp_path)
    with running(tmp_path) as service, another_site(host) as theirs, browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{service.url}/app/")
        assert 200 == page.evaluate(SIGN_IN, key)
        assert "" == page.evaluate("document.cookie")
        assert 201 == page.evaluate(WRITE)
        assert "message" == socket_to(page, service.url)

        page.goto(theirs)
        page.evaluate(FETCH, service.url)
        page.evaluate(FORM, service.url)
        assert "refused" == socket_to(page, service.url)

        tasks = httpx2.get(f"{service.url}/tasks", headers=bearer(key), timeout=30).json()["tasks"]
        assert 0 == service.stop()
    assert ["mine"] == [each["title"] for each in tasks]
    refused = [line.split()[1:4] for line in service.said if " 403 " in line]
    assert [["403", "POST", "/tasks"]] * 2 + [["403", "WEBSOCKET", "/ws"]] == refused


@pytest.mark.parametrize("path", ["/docs", "/app/"])
def test_nothing_is_injected(page: Page, watch: Watch, path: str) -> None:
    """The policy of a page lets no script run that is not a file of the service."""
    page.goto(path)
    assert "refused" == page.evaluate(INJECT)
    watch.complaints.clear()
