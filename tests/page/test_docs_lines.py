"""The lines that the documentation gives to copy do what it says: each is executed."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from attrs import frozen
from playwright.sync_api import Browser, Page, expect

from tests.e2e.service import running
from tests.e2e.test_access import new_key
from tests.http.access import bearer
from tests.page.test_docs import all_opened, opened
from tests.page.test_docs_trying import log_in

ORDER = ("create", "bulk", "list", "get", "read", "put", "patch", "adjust", "history", "delete", "restore")
"""How operations follow each other, so that each finds what it works on. All others come behind."""
LAST = ("rotateKey", "closeSession", "revokeKey")
PLACEHOLDERS = {"openSession": 401, "fetchCalendar": 404, "createWebhook": 422, "retryWebhookDelivery": 404}
"""Operations whose example has a secret, a host or an id that nobody has, with the status that they get then."""
UNENDING = ("streamChanges", "followChanges")
LINES = """
() => Object.fromEntries([...document.querySelectorAll("article:has(figure)")].map((each) =>
  [each.id, [...each.querySelectorAll("figure pre")].map(({ textContent }) => textContent)]))
"""


@frozen
class Shown:
    """The lines of each operation by its name, with a key that they need."""

    lines: dict[str, list[str]]
    statuses: dict[str, set[str]]
    host: str

    def names(self) -> list[str]:
        """Return the names of operations that end, in an order in which they can be carried out."""
        return sorted((each for each in self.lines if each not in UNENDING), key=place)


def printed(line: str) -> str:
    """Execute a line of Python, and return what it prints."""
    said = io.StringIO()
    with redirect_stdout(said):
        exec(compile(line, "shown", "exec"), {})
    return said.getvalue().strip()


def place(name: str) -> tuple[int, int]:
    """Return the place of an operation among the others."""
    known = [place for place, verb in enumerate(ORDER) if name.startswith(verb)]
    return (LAST.index(name) + 1 if name in LAST else 0, known[0] if known else len(ORDER))


@pytest.fixture(scope="module")
def seen(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Return the lines that somebody sees who is logged in."""
    folder = tmp_path_factory.mktemp("seen")
    key = new_key(folder)
    with running(folder) as service, browser.new_context(base_url=service.url) as context:
        page = opened(context.new_page())
        log_in(page, key)
        expect(page.get_by_role("banner")).to_contain_text("Logged in")
        page.get_by_role("button", name="Open all").click()
        with service.client() as client:
            paths = client.get("/openapi.json").json()["paths"]
        statuses = {each["operationId"]: set(each["responses"]) for path in paths.values() for each in path.values()}
        return Shown(page.evaluate(LINES), statuses, urlsplit(service.url).netloc)


@pytest.fixture
def shown(seen: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shown]:
    """Return these lines for a service of the test's own, whose key is in the environment, where they expect it."""
    monkeypatch.setenv("BACKROOM_KEY", key := new_key(tmp_path))
    with running(tmp_path, webhooks_allow_private="1") as service, service.client(headers=bearer(key)) as client:
        client.post("/webhooks", json={"url": "http://127.0.0.1:9/", "enabled": False}).raise_for_status()
        here = urlsplit(service.url).netloc
        lines = {name: [each.replace(seen.host, here) for each in lines] for name, lines in seen.lines.items()}
        yield Shown(lines, seen.statuses, here)


def test_each_operation_has_them(seen: Shown) -> None:
    """Each operation has a line for the shell, but for the WebSocket, and one for Python. All name the key."""
    for name, lines in seen.lines.items():
        assert (1 if name == "followChanges" else 2) == len(lines), name
    secured = [each for each in seen.lines["createTask"] if "BACKROOM_KEY" in each]
    assert 2 == len(secured)
    assert set(seen.statuses) == set(seen.lines)


def test_each_line_for_the_shell(shown: Shown) -> None:
    """Each line with curl is answered with a success that the documentation names."""
    for name in shown.names():
        line = rf"{shown.lines[name][0]} -w '\n%{{http_code}}'"
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
        status = done.stdout.rpartition("\n")[2]
        assert status in shown.statuses[name], (line, done.stdout)
        expected = status == str(PLACEHOLDERS[name]) if name in PLACEHOLDERS else status < "400"
        assert expected, (line, done.stdout)


def test_each_line_of_python(shown: Shown) -> None:
    """Each line of Python prints what is answered, and that is no problem."""
    for name in shown.names():
        line = shown.lines[name][1]
        answer = printed(line)
        assert (name in PLACEHOLDERS) == answer.startswith('{"type":"/problems/'), (line, answer)


@pytest.mark.parametrize(("name", "which"), [("streamChanges", 0), ("streamChanges", 1), ("followChanges", 0)])
def test_lines_that_follow(shown: Shown, name: str, which: int) -> None:
    """The lines that follow the log print a change as soon as it is made."""
    line = shown.lines[name][which]
    command = ["bash", "-c", f"exec {line}"] if line.startswith("curl") else [sys.executable, "-uc", line]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if name == "followChanges":
                assert "ready" == json.loads(process.stdout.readline())["type"]
            subprocess.run(["bash", "-c", shown.lines["createTask"][0]], stdout=subprocess.DEVNULL, check=True)
            assert any("task.created" in each for each in process.stdout)
        finally:
            process.kill()


def test_they_follow_the_form(page: Page) -> None:
    """What is typed into the form is in the lines at once, quoted so that a shell and Python read it as it is."""
    opened(page, "#createTask")
    title = """it's "$HOME" `x` \\ ü 🥛"""
    operation = page.locator("#createTask")
    operation.get_by_label("Body").fill(json.dumps({"title": title, "due": None}, ensure_ascii=False))
    operation.get_by_label("Idempotency-Key").fill("it's-1")
    line: str = page.evaluate(LINES)["createTask"][0]
    assert title == json.loads(subprocess.check_output(["bash", "-c", line]))["title"]
    operation.get_by_label("Idempotency-Key").fill("it's-2")
    assert title == json.loads(printed(page.evaluate(LINES)["createTask"][1]))["title"]


def test_copying(page: Page) -> None:
    """A button copies the line. Where there is no clipboard, the line is selected."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure = opened(page, "#getTask").locator("#getTask figure").first
    figure.get_by_role("button", name="Copy curl").click()
    expect(figure.get_by_role("status")).to_have_text("Copied")
    line = figure.locator("pre").inner_text()
    assert line == page.evaluate("navigator.clipboard.readText()")
    page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('insecure')); null")
    figure.get_by_role("button", name="Copy curl").click()
    expect(figure.get_by_role("status")).to_contain_text("Selected")
    assert line == page.evaluate("getSelection().toString()").strip()


def test_open_services_need_no_key(tmp_path: Path, browser: Browser) -> None:
    """Where no key is needed, the lines name none."""
    with running(tmp_path, store="memory://") as service, browser.new_context(base_url=service.url) as context:
        lines = all_opened(context.new_page()).evaluate(LINES)
    assert [] == [each for named in lines.values() for each in named if "BACKROOM_KEY" in each]
