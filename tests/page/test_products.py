"""Working with products."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.service import Service, running
from tests.page.conftest import Person
from tests.page.steps import PRODUCTS, changed, field, made, opened, panel, read, row, rows

WIDGET = {"name": "Widget", "price": "9.99", "stock": 7}


def test_quick_add(page: Page, service: Service) -> None:
    """One line has the name, the price, the stock, the category and the SKU."""
    opened(page, PRODUCTS)
    page.locator("#quick-add").fill("Coffee beans 12.50 +20 #drinks /C-1")
    page.locator("#quick-add").press("Enter")
    expect(row(page, "Coffee beans")).to_contain_text("12.50")
    product = read(service, "/products/1")
    assert ("Coffee beans", 12.5, 20, "drinks", "C-1") == tuple(
        product[name] for name in ("name", "price", "stock", "category", "sku")
    )


def test_stock_is_added(page: Page, service: Service) -> None:
    """Buttons of a row, and of the product, add to the stock that there is by then, and never set it."""
    made(service, PRODUCTS, WIDGET)
    opened(page, PRODUCTS)
    with service.client() as client:
        client.post("/products/1/stock", json={"change": 100})
    row(page, "Widget").get_by_role("button", name="Sell one").click()
    expect(row(page, "Widget").locator(".stock")).to_contain_text("106")
    page.get_by_role("link", name="Widget").click()
    panel(page).get_by_label("Amount").fill("6")
    panel(page).get_by_label("Reason").fill("a gift")
    panel(page).get_by_role("button", name="Sell").click()
    expect(row(page, "Widget").locator(".stock")).to_contain_text("100")
    expect(field(page, "Stock")).to_have_value("100")
    history = read(service, "/products/1/history")["history"]
    assert [None, None, "sold", "a gift"] == [each.get("reason") for each in history]


def test_stock_that_waits(page: Page, service: Service) -> None:
    """Sales that wait are added to the stock that there is by then, also after one's own earlier sale."""
    made(service, PRODUCTS, WIDGET)
    opened(page, PRODUCTS)
    page.route("**/stock", lambda route: route.abort())
    for waiting in ("1 change waits", "2 changes wait"):
        row(page, "Widget").get_by_role("button", name="Sell one").click()
        expect(page.locator(".outbox summary")).to_have_text(waiting)
    page.unroute_all()
    sent: list[str] = []

    def sell(route: Route) -> None:
        sent.append(route.request.headers["if-match"])
        changed(service, "/products/1", description=f"changed before sale {len(sent)}")
        route.continue_()

    page.route("**/stock", sell)
    expect(page.locator(".outbox")).to_be_hidden()
    assert ["*", "*"] == sent
    assert 5 == read(service, "/products/1")["stock"]


def test_stock_that_is_not_there(page: Page, service: Service) -> None:
    """Nobody sells what is not there, and the reason is told."""
    made(service, PRODUCTS, {**WIDGET, "stock": 0}, {**WIDGET, "name": "Idea", "stock": None})
    opened(page, PRODUCTS)
    expect(row(page, "Widget")).to_contain_text("out")
    expect(row(page, "Idea")).to_contain_text("not tracked")
    row(page, "Widget").get_by_role("button", name="Sell one").click()
    expect(page.get_by_role("alert")).to_contain_text("Sell 1 of “Widget”")


def test_a_category_is_no_class(page: Page, service: Service) -> None:
    """What people write never chooses how a row looks, whatever classes the page has."""
    made(service, PRODUCTS, {"name": "Gift", "price": 1, "category": "unseen"})
    cell = row(opened(page, PRODUCTS), "Gift").locator(".category")
    expect(cell).to_have_text("unseen")
    assert cell.evaluate("(each) => each.offsetWidth > 20")


def test_low_stock_is_seen(page: Page, service: Service) -> None:
    """Little stock is marked by a word, and can be filtered."""
    made(service, PRODUCTS, WIDGET, {**WIDGET, "name": "Gadget", "stock": 5})
    opened(page, PRODUCTS)
    expect(row(page, "Gadget").locator(".mark")).to_have_text("low")
    expect(row(page, "Widget").locator(".mark")).to_have_count(0)
    page.get_by_label("Stock", exact=True).select_option("Low")
    expect(rows(page)).to_have_count(1)


@pytest.mark.parametrize(
    ("locale", "shown", "price"),
    [
        ("en-US", "999,999,999.99", ("1,234.50", 1234.5)),
        ("de-DE", "999.999.999,99", ("1.234,5", 1234.5)),
        ("fr-FR", "999 999 999,99", ("1 234,56", 1234.56)),
        ("de-CH", "999['’]999['’]999.99", ("1’234.05", 1234.05)),
        ("ar-EG", "999,999,999.99", ("12.34", 12.34)),
    ],
)
def test_prices(person: Person, service: Service, locale: str, shown: str, price: tuple[str, float]) -> None:
    """A price is shown as its reader writes it, exactly, and is read in the same way."""
    typed, stored = price
    made(service, PRODUCTS, {**WIDGET, "price": "999999999.99"})
    page = opened(person(locale=locale), PRODUCTS)
    expect(row(page, "Widget").locator(".price")).to_have_text(re.compile(f"^{shown}$".replace(" ", r"\s")))
    page.get_by_role("link", name="Widget").click()
    page.locator("#field-price").fill(typed)
    page.locator("#field-price").press("Enter")
    expect(page.locator(".fields")).not_to_have_class("fields unsaved")
    assert stored == read(service, "/products/1")["price"]


def test_prices_that_are_none(page: Page, service: Service) -> None:
    """What is no price is not rounded and not guessed: the service says what is wrong, at the field."""
    made(service, PRODUCTS, WIDGET)
    opened(page, f"{PRODUCTS}#1")
    for typed in ("9.999", "free", "1,23,4", ""):
        field(page, "Price").fill(typed)
        panel(page).get_by_role("button", name="Save").click()
        if typed:
            expect(panel(page).locator("#wrong-price")).to_contain_text("price must be")
            expect(field(page, "Price")).to_be_focused()
        expect(field(page, "Price")).to_have_value(typed)
    assert 1 == read(service, "/products/1")["version"]


def test_a_changed_price_is_seen(page: Page, service: Service) -> None:
    """A product that is open shows what somebody else stores."""
    made(service, PRODUCTS, WIDGET)
    opened(page, f"{PRODUCTS}#1")
    changed(service, "/products/1", price="12")
    expect(field(page, "Price")).to_have_value("12.00")


def test_where_versions_are_required(tmp_path: Path, browser: Browser) -> None:
    """A service that takes no change without a version takes all that the page sends."""
    with running(tmp_path, require_if_match="1") as strict, browser.new_context(base_url=strict.url) as context:
        page = context.new_page()
        made(strict, PRODUCTS, WIDGET)
        opened(page, PRODUCTS)
        row(page, "Widget").get_by_role("button", name="Sell one").click()
        expect(row(page, "Widget").locator(".stock")).to_contain_text("6")
        row(page, "Widget").get_by_role("button", name="Edit").click()
        page.locator(".editing").get_by_label("Name").fill("Gadget")
        page.keyboard.press("Enter")
        row(page, "Gadget").get_by_role("button", name="Delete").click()
        page.get_by_role("button", name="Undo").click()
        expect(row(page, "Gadget")).to_be_visible()
