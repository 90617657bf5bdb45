"""The overview: what is due, overdue, done a day, low, and what happened lately."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, Page, expect

from tests.e2e.service import Service
from tests.http.access import bearer
from tests.page.accessibility import findings
from tests.page.conftest import Person
from tests.page.steps import TASKS, made

DAYS = 14


def card(page: Page, title: str) -> Locator:
    """Return a part of the overview."""
    return page.locator(".card", has=page.get_by_role("heading", name=title))


def day(days: int) -> str:
    """Return the date some days from today."""
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def filled(service: Service) -> None:
    """Create tasks and products, some of each for every part."""
    with service.client() as client:
        for title, due, status in (
            ("Late", -3, "pending"),
            ("Later", -1, "in_progress"),
            ("Now", 0, "pending"),
            ("Soon", 7, "pending"),
            ("Far", 8, "pending"),
            ("Finished", -2, "done"),
        ):
            client.post("/tasks", json={"title": title, "due": day(due), "status": status}).raise_for_status()
        for name, stock in (("Gone", 0), ("Few", 5), ("Many", 6), ("Untracked", None)):
            client.post("/products", json={"name": name, "price": 1, "stock": stock}).raise_for_status()


def test_each_part(page: Page, service: Service) -> None:
    """Each part shows what belongs to it, how many there are, and leads to all of them."""
    filled(service)
    page.goto("/app/overview")
    for title, shown, count in (
        ("Overdue", ["Late", "Later"], 2),
        ("Due in the next days", ["Now", "Soon"], 2),
        ("Stock that runs low", ["Gone", "Few"], 2),
    ):
        expect(card(page, title).locator("li a")).to_have_text(shown)
        expect(card(page, title).locator("h2 a")).to_have_text(str(count))
    expect(card(page, "Lately").locator("li a").first).to_have_text("Untracked")
    expect(card(page, "Lately").locator("li").first).to_contain_text("created by somebody, ")
    plot = page.get_by_role("img", name="Done each day")
    expect(plot.locator("rect")).to_have_count(DAYS)
    assert "Done each day" in (told := plot.get_attribute("aria-label") or "")
    assert told.endswith(" 1")
    assert 1 == plot.locator("rect").evaluate_all("all => all.filter((each) => each.getAttribute('height') > 0).length")
    card(page, "Overdue").locator("h2 a").click()
    expect(page).to_have_url("/app/tasks?status[in]=pending,in_progress&due[lt]=" + day(0) + "&sort=due")
    expect(page.get_by_role("link", name="Later")).to_be_visible()
    expect(page.get_by_role("link", name="Finished")).to_have_count(0)


def test_what_happened_before(page: Page, service: Service) -> None:
    """What happened lately is told with who did it, deletions included, also what happened before anybody looked."""
    made(service, TASKS, {"title": "Gone"}, {"title": "Kept"})
    with service.client() as client:
        key = client.post("/keys", json={"name": "till 2", "scope": "admin"}).json()["key"]
        client.delete("/tasks/1", headers=bearer(key)).raise_for_status()
    page.goto("/app/overview")
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Log in").click()
    expect(card(page, "Lately").locator("li")).to_have_text(
        [
            re.compile("^Gone.*deleted by till 2, "),
            re.compile("^Kept.*created by somebody, "),
            re.compile("^Gone.*created by somebody, "),
        ]
    )


def test_it_is_live(page: Page, service: Service) -> None:
    """What others do appears without a reload."""
    page.goto("/app/overview")
    expect(page.locator(".connection")).to_have_text("Live")
    expect(card(page, "Overdue")).to_contain_text("Nothing.")
    with service.client() as client:
        client.post("/tasks", json={"title": "Sudden", "due": day(-1)})
        expect(card(page, "Overdue").get_by_role("link", name="Sudden")).to_be_visible()
        client.patch("/tasks/1", json={"status": "done"}, headers={"If-Match": '"1"'})
        expect(card(page, "Overdue")).to_contain_text("Nothing.")
        expect(page.get_by_role("img", name="Done each day").locator("title").last).to_contain_text(": 1")
        latest = card(page, "Lately").locator("li").first
        expect(latest).to_contain_text("changed by somebody, ")
        client.delete("/tasks/1").raise_for_status()
        expect(latest).to_contain_text("deleted by somebody, ")


def test_it_is_accessible(person: Person, service: Service) -> None:
    """On a phone in the dark axe finds nothing, and nothing is wider than the page."""
    filled(service)
    page = person(viewport={"width": 320, "height": 800}, color_scheme="dark", locale="de-DE")
    page.goto("/app/overview")
    expect(card(page, "Überfällig").get_by_role("link", name="Late", exact=True)).to_be_visible()
    assert [] == findings(page)
    assert 320 == page.evaluate("document.documentElement.scrollWidth")
