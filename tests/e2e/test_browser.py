"""A real browser, with pages of this service and pages of other sites."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from tests.e2e.browser import Tab, browsing
from tests.e2e.service import running
from tests.e2e.test_access import new_key
from tests.http.access import bearer

SIGN_IN = """
const answer = await fetch("/session", {{method: "POST", headers: {{"Content-Type": "application/json"}},
  body: JSON.stringify({{key: "{key}"}})}});
return answer.status;
"""
WRITE = """
const answer = await fetch("/tasks", {method: "POST", headers: {"Content-Type": "application/json"},
  body: JSON.stringify({title: "mine"})});
return answer.status;
"""
FETCH = """
await fetch("{url}/tasks", {{method: "POST", mode: "no-cors", credentials: "include", body: '{{"title": "theirs"}}'}})
  .catch(() => null);
"""
FORM = """
const frame = document.createElement("iframe");
frame.name = "target";
document.body.append(frame);
const form = document.createElement("form");
Object.assign(form, {{method: "post", action: "{url}/tasks", target: "target", enctype: "text/plain"}});
document.body.append(form);
const loaded = new Promise((done) => {{ frame.onload = done; }});
form.submit();
await loaded;
"""
SOCKET = """
const socket = new WebSocket("{url}/ws");
return await new Promise((done) => {{
  socket.onmessage = () => {{ socket.close(); done("message"); }};
  socket.onerror = () => done("refused");
}});
"""


INJECT = """
try {
  const script = document.createElement("script");
  script.textContent = "window.injected = 'ran'";
  document.body.append(script);
  return window.injected;
} catch { return "refused"; }
"""


class Page(BaseHTTPRequestHandler):
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
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{host}:{server.server_port}/"
        server.shutdown()
        thread.join()


def socket_to(tab: Tab, url: str) -> str:
    """Open a socket from the page that is shown, and return what becomes of it."""
    return str(tab.run(SOCKET.format(url=url.replace("http", "ws", 1))))


# To a browser, localhost is another site than 127.0.0.1; another port of 127.0.0.1 is the same, and gets the cookie.
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_pages_of_others_are_refused(tmp_path: Path, host: str) -> None:
    """A page of this service can write and follow by the cookie; forms, scripts and sockets of other pages cannot."""
    key = new_key(tmp_path)
    with running(tmp_path) as service, another_site(host) as theirs, browsing(tmp_path / "profile") as tab:
        tab.go(f"{service.url}/app/")
        assert 200 == tab.run(SIGN_IN.format(key=key))
        assert "" == tab.run("return document.cookie;")
        assert 201 == tab.run(WRITE)
        assert "message" == socket_to(tab, service.url)

        tab.go(theirs)
        tab.run(FETCH.format(url=service.url))
        tab.run(FORM.format(url=service.url))
        assert "refused" == socket_to(tab, service.url)

        tasks = httpx2.get(f"{service.url}/tasks", headers=bearer(key), timeout=30).json()["tasks"]
        assert 0 == service.stop()
    assert ["mine"] == [each["title"] for each in tasks]
    refused = [line.split()[1:4] for line in service.said if " 403 " in line]
    assert [["403", "POST", "/tasks"]] * 2 + [["403", "WEBSOCKET", "/ws"]] == refused


def test_pages_work_under_their_policy(tmp_path: Path) -> None:
    """The documentation is shown, and neither it nor the web page breaks the policy under which it runs."""
    with running(tmp_path) as service, browsing(tmp_path / "profile") as tab:
        for path, shown in (("/docs", "#operations details"), ("/app/", "h1")):
            tab.go(f"{service.url}{path}")
            found = (
                "const until = Date.now() + 10000;"
                f" while (!document.querySelector('{shown}') && Date.now() < until)"
                " await new Promise((done) => setTimeout(done, 20));"
                f" return document.querySelectorAll('{shown}').length;"
            )
            assert 0 < tab.run(found)
            assert "none" != tab.run("return getComputedStyle(document.body).maxWidth;")
            assert "refused" == tab.run(INJECT)
