"""Working with products."""

from pathlib import Path

from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.service import Service, running
from tests.page.steps import PRODUCTS, Late, changed, field, made, opened, panel, read, row, rows

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


def test_selling_quickly(page: Page, service: Service) -> None:
    """A button that is pressed while an earlier sale is answered sells one more."""
    made(service, PRODUCTS, WIDGET)
    opened(page, PRODUCTS)
    late = Late(page, "**/stock")
    widget = row(page, "Widget")
    sell = widget.get_by_role("button", name="Sell one")
    sell.click()
    expect(widget.locator(".mark")).to_have_count(1)
    sell.hover()
    page.mouse.down()
    late.wait()
    late.let_go()
    expect(page.locator(".outbox")).to_be_hidden()
    page.mouse.up()
    expect(widget.locator(".stock")).to_contain_text("5")


def test_stock_that_waits(page: Page, service: Service) -> None:
    """Sales that wait are added to the stock that there is by then, also after one's own earlier sale."""
    made(service, PRODUCTS, WIDGET)
    opened(page, PRODUCTS)
    page.route("**/stock", lambda route: route.abort())
    for waiting in ("1 change waits", "2 changes wait"):
        row(page, "Widget").get_by_role("button", name="Sell one").click()
        expect(page.locator(".outbox summary")).to_have_text(waiting)
    sent: list[str] = []

    def sell(route: Route) -> None:
        sent.append(route.request.headers["if-match"])
        changed(service, "/products/1", description=f"changed before sale {len(sent)}")
        route.continue_()

    page.route("**/stock", sell)  # takes over from `abort`; unrouted first, a sale could pass unseen
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
