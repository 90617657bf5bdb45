"""The files of the page: small, complete, and in every language."""

import gzip
import re

import pytest
from playwright.sync_api import Page

from adapters.http.routes.static_files import STATIC
from tests.e2e.service import Service
from tests.page.steps import PRODUCTS, opened

MAX_BYTES = 60_000
APP = STATIC / "app"
MODULES = {each.name: each.read_text() for each in APP.iterdir() if each.name.endswith(".js")}
LANGUAGES = {each.name: each.read_text() for each in (APP / "texts").iterdir()}


@pytest.fixture
def service(shared_service: Service) -> Service:
    """Return one service for all tests here."""
    return shared_service


def keys(table: str) -> list[str]:
    """Return the keys of a table of texts."""
    return re.findall(r'^  "?([\w.?/]+)"?: ', table, re.MULTILINE)


def test_size() -> None:
    """All files of the page together, as they are sent, are small."""
    files = [STATIC / "app.html", STATIC / "icon.svg", *APP.iterdir(), *(APP / "texts").iterdir()]
    sizes = {each.name: len(gzip.compress(each.read_bytes(), 5)) for each in files if each.is_file()}
    assert MAX_BYTES > sum(sizes.values()), sizes


def test_every_language_says_everything() -> None:
    """Each table has the same keys, in the same order, and the same names in braces."""
    expected = keys(LANGUAGES["en.js"])
    assert len(set(expected)) == len(expected)
    for name, table in LANGUAGES.items():
        assert expected == keys(table), name
        for key in expected:
            line = rf'^  "?{re.escape(key)}"?: .*'
            braces = [
                sorted(set(re.findall(r"\{(\w+)\}", re.search(line, each, re.M)[0])))
                for each in (table, LANGUAGES["en.js"])
            ]  # type: ignore[index]
            assert braces[0] == braces[1], (name, key)


def test_every_text_is_there() -> None:
    """Whatever a module says is in the tables."""
    known = set(keys(LANGUAGES["en.js"]))
    for name, module in MODULES.items():
        said = set(re.findall(r'\btext\("([\w.]+)"', module))
        assert said <= known, (name, said - known)


def test_modules_are_small() -> None:
    """A module has one noun, and can be read at once."""
    assert {} == {name: text.count("\n") for name, text in MODULES.items() if text.count("\n") > 400}


def test_they_are_kept(page: Page, service: Service) -> None:
    """A second visit asks for no file again."""
    opened(page, PRODUCTS)
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url) if not answer.from_service_worker else None)
    page.goto("about:blank")
    with page.expect_response("**/changes/stream?*"):
        page.goto(f"/app/{PRODUCTS}")
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').filter(({name}) => name.includes('/static/')).map((each) => each.transferSize)"
    )
    assert sizes
    assert {0} == set(sizes)
