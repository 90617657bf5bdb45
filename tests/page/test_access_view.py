"""Access keys in the page: made, used, rotated and revoked."""

import re
from pathlib import Path

import httpx2
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.service import Service, running
from tests.e2e.test_access import new_key
from tests.http.access import bearer
from tests.page.accessibility import findings
from tests.page.conftest import Person

REFUSED = """
() => import(document.querySelector("script[src$='app.js']").src.replace("app.js", "client.js"))
  .then(({ ask }) => ask("GET", "keys")).catch(() => null).then(() => null)
"""
KEY = re.compile(r"brm_\w{36}")


def row(page: Page, name: str) -> Locator:
    """Return the row of a key."""
    return page.locator("tr", has=page.get_by_role("cell", name=name, exact=True))


def made(page: Page, name: str, scope: str) -> str:
    """Make a key in the page, and return it."""
    page.get_by_label("Whose key").fill(name)
    page.get_by_label("May", exact=True).select_option(scope)
    page.get_by_role("button", name="Make a key").click()
    return shown(page, name)


def shown(page: Page, name: str) -> str:
    """Return the key that the page shows once."""
    expect(page.locator(".secret")).to_contain_text(f"“{name}”")
    (key,) = KEY.findall(page.locator(".secret").inner_text())
    return str(key)


def status(service: Service, key: str) -> int:
    """Return the status that a caller with a key gets."""
    return httpx2.get(f"{service.url}/tasks", headers=bearer(key), timeout=30).status_code


def test_from_the_first_key_on(tmp_path: Path, page: Page, service: Service) -> None:
    """The first key closes the service and logs this browser in. Keys are made, used, rotated and revoked."""
    page.goto("/app/access")
    expect(page.get_by_text("No key is needed yet.")).to_be_visible()
    boss = made(page, "the boss", "admin")
    expect(row(page, "the boss")).to_contain_text("everything")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.get_by_text("No key is needed yet.")).to_have_count(0)
    expect(page.get_by_label("May", exact=True)).to_have_value("write")
    assert 401 == httpx2.get(f"{service.url}/tasks", timeout=30).status_code
    till = made(page, "till 2", "read")
    expect(row(page, "till 2")).to_contain_text(f"…{till[-4:]}")
    expect(page.get_by_label("May", exact=True)).to_have_value("write")
    expect(row(page, "till 2").get_by_role("cell").nth(3)).to_have_text("–")
    assert [200, 200] == [status(service, each) for each in (boss, till)]
    with running(tmp_path) as another:
        assert 200 == status(another, till)
        assert 0 == another.stop()  # uses are written once a minute, and at the end
    page.reload()
    expect(row(page, "till 2").get_by_role("cell").nth(3)).not_to_have_text("–")

    page.get_by_label("Whose key").fill("typed")
    page.get_by_role("button", name="Rotate: till 2").click()
    expect(page.locator(".secret")).not_to_contain_text(till)
    expect(page.get_by_label("Whose key")).to_have_value("typed")
    rotated = shown(page, "till 2")
    assert [200, 200] == [status(service, each) for each in (rotated, till)]  # both, for a day
    expect(row(page, "till 2")).to_contain_text(f"…{rotated[-4:]}")  # the row with the next button is there
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Revoke: till 2").click()
    assert 200 == status(service, till)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke: till 2").click()
    expect(row(page, "till 2")).to_contain_text("revoked")
    expect(page.get_by_role("button", name="Revoke: till 2")).to_have_count(0)
    assert 401 == status(service, till)
    assert [] == findings(page)


def test_a_request_before_one_is_logged_in(page: Page, service: Service) -> None:
    """What the page asks for after the first key is made, and before it has logged in, leaves no question for a key."""
    del service

    def ask_first(route: Route) -> None:
        if route.request.method == "POST":
            page.evaluate(REFUSED)
            expect(page.get_by_role("dialog", name="Log in")).to_be_visible()
        route.continue_()

    page.route("**/session", ask_first)
    page.goto("/app/access")
    made(page, "the boss", "admin")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_is_refused(page: Page, service: Service) -> None:
    """A refusal is shown in the words of the service."""
    del service
    page.goto("/app/access")
    page.get_by_label("Whose key").fill("gone")
    page.get_by_label("Until").fill("2020-01-01")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("alert")).to_contain_text("expires_at must be in the future")


def test_only_admins_see_it(tmp_path: Path, person: Person, service: Service) -> None:
    """Who is no admin has no links to keys and webhooks."""
    del service
    for scope, links in (("write", 4), ("admin", 6)):
        page = person()
        page.goto("/app/tasks")
        page.get_by_label("Key", exact=True).fill(new_key(tmp_path, scope))
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(links)
