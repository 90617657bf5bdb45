"""The files of the page: small, complete, and in every language."""

import gzip
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from adapters.http.middleware.compression import LEVEL
from adapters.http.routes.static_files import STATIC
from tests.e2e.service import Service
from tests.page.steps import PRODUCTS, TASKS, is_live, made, opened, row

MAX_BYTES = 60_000
APP = STATIC / "app"
MODULES = {each.name: each.read_text() for each in APP.iterdir() if each.name.endswith(".js")}
LANGUAGES = {each.name: each.read_text() for each in (APP / "texts").iterdir()}


SIZES = """
performance.getEntriesByType("resource").filter(({ name }) => name.includes("/static/"))
  .map(({ transferSize }) => transferSize)
"""


@pytest.fixture
def service(shared_service: Service) -> Service:
    """Return one service for all tests here."""
    return shared_service


def texts(table: str) -> dict[str, str]:
    """Return the keys of a table of texts, each with its line."""
    return dict(re.findall(r'^  "?([\w.?/]+)"?: (.*)', table, re.MULTILINE))


def names(line: str) -> list[str]:
    """Return the names in braces, which values replace."""
    return sorted(set(re.findall(r"\{(\w+)\}", line)))


def test_size() -> None:
    """All files of the page together, in every language and as they are sent, are small."""
    files = [STATIC / "app.html", STATIC / "icon.svg", *(APP / "texts").iterdir(), *APP.iterdir()]
    sizes = {each.name: len(gzip.compress(each.read_bytes(), LEVEL)) for each in files if each.is_file()}
    assert MAX_BYTES > sum(sizes.values()), sizes


def imported(name: str, found: set[str]) -> set[str]:
    """Return a module with all that it imports at once, and what those import."""
    if name not in found:
        found.add(name)
        for each in re.findall(r'^import [^;]*"\./(\w+\.js)";', MODULES[name], re.MULTILINE):
            imported(each, found)
    return found


def test_modules_are_asked_for_at_once() -> None:
    """The page names every module that its first view needs, so that none waits for the one that imports it."""
    page = (STATIC / "app.html").read_text()
    assert imported("app.js", set()) == set(re.findall(r"static/app/(\w+\.js)", page))


def test_the_list_is_asked_for_at_once(page: Page, service: Service) -> None:
    """The list that the address names is asked for while modules are still on their way, and only once."""
    made(service, TASKS, {"title": "Order paper"})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.route("**/grid.js", lambda _: None)  # it is held until `unroute`
    with page.expect_request("**/tasks?q=paper&limit=100"):
        page.goto("/app/tasks?q=paper", wait_until="commit")
    page.unroute("**/grid.js")
    expect(row(page, "Order paper")).to_be_visible()
    is_live(page)
    assert 1 == asked.count("/tasks")


def test_every_language_says_everything() -> None:
    """Each table has the same keys, in the same order, and the same names in braces."""
    expected = texts(LANGUAGES["en.js"])
    for language, table in LANGUAGES.items():
        found = texts(table)
        assert list(expected) == list(found), language
        assert {key: names(line) for key, line in expected.items()} == {key: names(line) for key, line in found.items()}


def test_every_text_is_there() -> None:
    """Whatever a module says is in the tables."""
    known = set(texts(LANGUAGES["en.js"]))
    for name, module in MODULES.items():
        said = set(re.findall(r'\btext\("([\w.]+)"', module))
        assert said <= known, (name, said - known)


def test_modules_are_small() -> None:
    """A module has one noun, and can be read at once."""
    assert {} == {name: text.count("\n") for name, text in MODULES.items() if text.count("\n") > 400}


def test_they_are_kept(page: Page, service: Service) -> None:
    """A second visit asks for no file again."""
    opened(page, PRODUCTS)
    page.goto("about:blank")
    with page.expect_response("**/changes/stream?*"):
        page.goto(f"/app/{PRODUCTS}")
    sizes = page.evaluate(SIZES)
    assert sizes
    assert {0} == set(sizes)
