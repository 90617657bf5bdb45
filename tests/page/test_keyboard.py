"""Everything by the keyboard alone."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.service import Service
from tests.page.steps import PRODUCTS, TASKS, field, made, opened, panel, read, row, rows


def test_a_walk(page: Page, service: Service) -> None:
    """To add, walk, complete, edit, open, delete and undo takes no mouse; the focus is where one works."""
    opened(page, TASKS)
    page.keyboard.press("n")
    for title in ("one", "two", "three"):
        page.keyboard.type(title)
        page.keyboard.press("Enter")
        expect(row(page, title)).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search")).to_be_focused()
    rows(page).first.focus()
    page.keyboard.press("j")
    expect(row(page, "two")).to_be_focused()
    page.keyboard.press("x")
    expect(row(page, "two")).to_contain_text("Done")
    expect(row(page, "two")).to_be_focused()
    page.keyboard.press("F2")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    expect(row(page, "second")).to_be_focused()
    page.keyboard.press("End")
    expect(row(page, "three")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", name="three")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(field(page, "Title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(row(page, "three")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Delete")
    expect(row(page, "second")).to_be_focused()
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("u")
    expect(rows(page)).to_have_count(3)
    assert ["one", "second", "three"] == [each["title"] for each in read(service, "/tasks")["tasks"]]


def test_stock(page: Page, service: Service) -> None:
    """Plus receives one, and minus sells one."""
    made(service, PRODUCTS, {"name": "Widget", "price": 1, "stock": 7})
    opened(page, PRODUCTS)
    page.keyboard.press("l")
    page.keyboard.press("+")
    expect(row(page, "Widget").locator(".stock")).to_contain_text("8")
    page.keyboard.press("-")
    page.keyboard.press("-")
    expect(row(page, "Widget").locator(".stock")).to_contain_text("6")


def test_help(page: Page) -> None:
    """A question mark shows all keys, and single keys can be turned off."""
    opened(page, TASKS)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_role("row", name="/ Search")).to_be_visible()
    dialog.get_by_label("Single keys work").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).not_to_be_focused()
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_label("Single keys work").check()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("2?")
    expect(page).to_have_url(re.compile(r"q=2%3F"))


def test_skip_link(page: Page) -> None:
    """The first stop leads past the head of the page."""
    opened(page, TASKS)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#quick-add")).to_be_focused()
