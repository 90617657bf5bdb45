"""Prices, as each reader writes them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.service import Service
from tests.page.conftest import Person
from tests.page.steps import PRODUCTS, changed, field, made, opened, panel, read, row


@pytest.fixture
def service(shared_service: Service) -> Service:
    """Return one service for all tests here. Each has a product of its own."""
    return shared_service


def priced(service: Service, name: str, price: str) -> int:
    """Make a product, and return its id."""
    (product,) = made(service, PRODUCTS, {"name": name, "price": price})
    return int(product["id"])


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
def test_readers(person: Person, service: Service, locale: str, shown: str, price: tuple[str, float]) -> None:
    """A price is shown as its reader writes it, exactly, and is read in the same way."""
    typed, stored = price
    id = priced(service, locale, "999999999.99")
    page = opened(person(locale=locale), PRODUCTS)
    expect(row(page, locale).locator(".price")).to_have_text(re.compile(f"^{shown}$".replace(" ", r"\s")))
    row(page, locale).get_by_role("link").click()
    page.locator("#field-price").fill(typed)
    page.locator("#field-price").press("Enter")
    expect(page.locator(".fields")).not_to_have_class("fields unsaved")
    assert stored == read(service, f"/products/{id}")["price"]


def test_what_is_none(page: Page, service: Service) -> None:
    """What is no price is not rounded and not guessed: the service says what is wrong, at the field."""
    id = priced(service, "Widget", "9.99")
    opened(page, f"{PRODUCTS}#{id}")
    for typed in ("9.999", "free", "1,23,4", ""):
        field(page, "Price").fill(typed)
        panel(page).get_by_role("button", name="Save").click()
        if typed:
            expect(panel(page).locator("#wrong-price")).to_contain_text("price must be")
            expect(field(page, "Price")).to_be_focused()
        expect(field(page, "Price")).to_have_value(typed)
    assert 1 == read(service, f"/products/{id}")["version"]


def test_one_that_somebody_else_changes(page: Page, service: Service) -> None:
    """A product that is open shows what somebody else stores."""
    id = priced(service, "Gadget", "9.99")
    opened(page, f"{PRODUCTS}#{id}")
    changed(service, f"/products/{id}", price="12")
    expect(field(page, "Price")).to_have_value("12.00")
