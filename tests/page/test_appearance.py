"""How the page looks and reads, for everybody."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.service import Service
from tests.page.accessibility import findings
from tests.page.conftest import Person
from tests.page.steps import PRODUCTS, TASKS, changed, field, made, opened, panel, row, rows

LONG = "a title without any spaces" * 7
WIDTHS = (320, 768, 1280)
STILL: Any = {"reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def filled(shared_service: Service) -> Service:
    """Return a service with tasks and products of each sort, which the tests here share."""
    made(
        shared_service,
        TASKS,
        {"title": LONG.replace(" ", "")[:200], "priority": "high", "due": "2020-01-01", "notes": LONG},
        {"title": "done", "status": "done", "priority": "low", "due": "2999-12-31"},
        {"title": "ברוך הבא", "status": "in_progress"},
    )
    made(
        shared_service,
        PRODUCTS,
        {"name": "Widget", "price": "999999999.99", "stock": 2147483647, "category": "c" * 100, "sku": "s" * 64},
        {"name": "low", "price": 1, "stock": 1},
        {"name": "out", "price": 1, "stock": 0},
        {"name": "untracked", "price": 1},
    )
    return shared_service


@pytest.fixture
def service(filled: Service) -> Service:
    """Return the service that the tests here share."""
    return filled


def conflicting(page: Page, service: Service) -> None:
    """Show a conflict."""
    opened(page, f"{TASKS}#3")
    field(page, "Notes").fill("mine")
    changed(service, "/tasks/3", notes=f"theirs {page.evaluate('Math.random()')}")
    panel(page).get_by_role("button", name="Compare").click()
    expect(panel(page).get_by_role("heading", name="Two changes of the same thing")).to_be_visible()


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_found(person: Person, service: Service, width: int, scheme: str) -> None:
    """At each width, light and dark, axe-core finds nothing in any state of the page, and nothing sticks out."""
    page = person(viewport={"width": width, "height": 800}, color_scheme=scheme, **STILL)
    for collection in (TASKS, PRODUCTS):
        opened(page, collection)
        assert ([], 0) == (findings(page), overflow(page)), collection
        rows(page).nth(1).get_by_role("button", name="Edit").click()
        assert ([], 0) == (findings(page), overflow(page)), f"{collection}, editing"
        page.keyboard.press("Escape")
        opened(page, f"{collection}#1")
        expect(panel(page).get_by_role("heading").first).to_be_focused()
        panel(page).get_by_text("History").click()
        expect(panel(page).locator(".history > li").first).to_be_visible()
        assert ([], 0) == (findings(page), overflow(page)), f"{collection}, open"
    conflicting(page, service)
    assert ([], 0) == (findings(page), overflow(page)), "a conflict"
    page.locator(".panel").get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert ([], 0) == (findings(page), overflow(page)), "keys"


def test_enlarged_text(person: Person) -> None:
    """Text of twice the size, with the spacing of WCAG 1.4.12, sticks out nowhere."""
    page = opened(person(viewport={"width": 640, "height": 800}), TASKS)
    page.evaluate("document.documentElement.style.fontSize = '30px'; dispatchEvent(new Event('resize')); null")
    assert 0 == overflow(page)
    heights = page.evaluate(
        "[...document.querySelectorAll('.body .row')].map((each) => each.getBoundingClientRect().top)"
    )
    assert sorted(heights) == heights


@pytest.mark.parametrize("width", WIDTHS)
def test_no_number_is_cut(person: Person, width: int) -> None:
    """A price and a stock are seen whole, however large they are."""
    page = opened(person(viewport={"width": width, "height": 800}), PRODUCTS)
    numbers = row(page, "Widget").locator(".price > span, .stock > span")
    expect(numbers).to_have_text(["999,999,999.99", "2,147,483,647"])
    assert [0, 0] == numbers.evaluate_all("all => all.map((each) => each.scrollWidth - each.clientWidth)")


def test_a_small_window(person: Person) -> None:
    """Where there is no room for both, what is open takes the place of the list, and the connection is still seen."""
    page = opened(person(viewport={"width": 320, "height": 568}), TASKS)
    row(page, "done").get_by_role("link").click()
    expect(field(page, "Title")).to_be_visible()
    expect(page.get_by_role("grid")).to_be_hidden()
    expect(page.locator(".connection")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(row(page, "done")).to_be_focused()
    expect(row(page, "done")).to_be_in_viewport()


def test_right_to_left(person: Person) -> None:
    """From right to left everything is mirrored, and nothing sticks out."""
    for width in (320, 1280):
        page = person(viewport={"width": width, "height": 800})
        opened(page, f"{TASKS}#2")
        expect(panel(page)).to_be_visible()
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert 0 == overflow(page)
        assert [] == findings(page)
        if width == 1280:
            list_box, panel_box = page.locator(".list").bounding_box(), panel(page).bounding_box()
            assert list_box is not None
            assert panel_box is not None
            assert panel_box["x"] < list_box["x"]


def test_print(page: Page) -> None:
    """Printed, there is the list with all that was read, and no controls."""
    opened(page, TASKS)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(row(page, "done")).to_be_visible()
    expect(page.locator(".top")).to_be_hidden()
    expect(page.locator("#quick-add")).to_be_hidden()
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)


def test_reduced_motion(person: Person, service: Service) -> None:
    """Who wants no motion sees a mark that does not move."""
    page = opened(person(**STILL), TASKS)
    changed(service, "/tasks/2", notes=f"{page.evaluate('Math.random()')}")
    expect(row(page, "done")).to_have_class(re.compile("changed"))
    assert "none" == row(page, "done").evaluate("(each) => getComputedStyle(each).animationName")


def test_names_for_screen_readers(page: Page) -> None:
    """Each control of a row says what it does to what; the list says how long it is."""
    opened(page, TASKS)
    line = rows(page).filter(has_text="In progress")
    for name in ("Complete “ברוך הבא”", "Edit “ברוך הבא” here", "Delete “ברוך הבא”"):
        expect(line.get_by_label(name)).to_have_count(1)
    expect(page.get_by_role("grid", name="Tasks")).to_have_attribute("aria-rowcount", "4")


def test_german(person: Person) -> None:
    """The page speaks German to a reader of German, and English to a reader of neither."""
    german, french = person(locale="de-AT"), person(locale="fr-FR")
    expect(opened(german, TASKS).get_by_role("columnheader", name="Fällig")).to_be_visible()
    expect(german.locator("html")).to_have_attribute("lang", "de-AT")
    expect(german).to_have_title("Aufgaben · backroom")
    expect(opened(french, TASKS).get_by_role("columnheader", name="Due")).to_be_visible()
    expect(french.locator("html")).to_have_attribute("lang", "en")
