"""Logging in with a key, and out."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.service import Service
from tests.e2e.test_access import new_key
from tests.http.access import bearer
from tests.page.conftest import Person
from tests.page.steps import TASKS, field, is_live, made, opened, panel, row, rows


def test_log_in_and_out(tmp_path: Path, person: Person, service: Service) -> None:
    """A service with keys asks for one; the page then says who one is, and has forgotten the key after logging out."""
    key = new_key(tmp_path)
    page = person()
    page.goto(f"/app/{TASKS}")
    dialog = page.get_by_role("dialog", name="Log in")
    expect(dialog.get_by_label("Key")).to_be_focused()
    page.keyboard.press("Escape")
    dialog.get_by_label("Key").fill("brm_wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    dialog.get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    is_live(page)
    page.locator("#quick-add").fill("by me")
    page.keyboard.press("Enter")
    row(page, "by me").get_by_role("link").click()
    panel(page).get_by_text("History").click()
    expect(panel(page).locator(".history")).to_contain_text("created by")
    assert key not in page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    page.reload()
    is_live(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("dialog", name="Log in")).to_be_visible()


def test_on_a_phone(tmp_path: Path, person: Person) -> None:
    """On a small screen, too, one sees who one is and where, and can log out."""
    page = person(viewport={"width": 320, "height": 568})
    key = new_key(tmp_path)
    page.goto("/app/webhooks")
    page.get_by_label("Key", exact=True).fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("banner")).to_contain_text("till 2")
    expect(page.get_by_role("link", name="Webhooks")).to_be_in_viewport(ratio=0.9)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_session_that_ends(tmp_path: Path, person: Person, service: Service) -> None:
    """When a session ends while one types, nothing is lost: after logging in again, what waited is sent."""
    page = opened(person(), TASKS)
    page.route("**/changes/stream?*", lambda route: route.abort())  # or it may learn first that a key is needed
    page.locator("#quick-add").fill("first")
    key = new_key(tmp_path)
    page.locator("#quick-add").press("Enter")
    dialog = page.get_by_role("dialog", name="Log in")
    dialog.get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    expect(row(page, "first")).to_be_visible()
    expect(rows(page)).to_have_count(1)


def test_who_may_only_read(tmp_path: Path, person: Person, service: Service) -> None:
    """Who may not write sees no controls for that."""
    made(service, TASKS, {"title": "a"})
    key = new_key(tmp_path, "read")
    page = person()
    page.goto(f"/app/{TASKS}#1")
    page.get_by_role("dialog", name="Log in").get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    expect(field(page, "Title")).to_be_disabled()
    expect(page.locator("#quick-add")).to_have_count(0)
    for name in (re.compile("^Edit"), re.compile("^Delete"), re.compile("^Save$")):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_role("checkbox")).to_be_disabled()


def log_in(page: Page, key: str) -> None:
    """Log in, where a key is asked for."""
    page.get_by_role("dialog", name="Log in").get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    is_live(page)


def test_another_person_does_not_send_what_waits(tmp_path: Path, person: Person, service: Service) -> None:
    """What one person could not send waits, while another uses the browser, and is sent as the first one's."""
    mine, theirs = new_key(tmp_path), new_key(tmp_path)
    page = person()
    page.goto(f"/app/{TASKS}")
    log_in(page, mine)
    page.route("**/tasks", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    page.locator("#quick-add").fill("mine")
    page.keyboard.press("Enter")
    expect(page.locator(".outbox summary")).to_have_text("1 change waits")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("dialog", name="Log in")).to_be_visible()  # until then what waits is sent again
    page.unroute_all()
    log_in(page, theirs)
    page.locator("#quick-add").fill("theirs")
    page.keyboard.press("Enter")
    expect(row(page, "theirs")).to_be_visible()
    expect(page.locator(".outbox")).to_be_hidden()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Log out").click()
    log_in(page, mine)
    expect(row(page, "mine")).to_be_visible()
    expect(page.locator(".outbox")).to_be_hidden()
    with service.client(headers=bearer(mine)) as client:
        assert [2, 1] == [each["actor"]["key"] for each in client.get("/changes").json()["changes"]]


def test_another_person_does_not_see_what_was_typed(tmp_path: Path, person: Person, service: Service) -> None:
    """What one typed and did not save, another person in the same browser does not see; it comes back with one."""
    made(service, TASKS, {"title": "shared"})
    mine, theirs = new_key(tmp_path), new_key(tmp_path)
    page = person()
    page.goto(f"/app/{TASKS}#1")
    log_in(page, mine)
    page.locator("#quick-add").fill("secret")
    field(page, "Notes").fill("secret, too")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("dialog", name="Log in")).to_be_visible()
    expect(page.locator("main")).to_be_hidden()
    log_in(page, theirs)
    expect(page.locator("#quick-add")).to_have_value("")
    expect(field(page, "Notes")).to_have_value("")
    field(page, "Notes").fill("theirs")
    page.get_by_role("button", name="Log out").click()
    log_in(page, mine)
    expect(page.locator("#quick-add")).to_have_value("secret")
    expect(field(page, "Notes")).to_have_value("secret, too")
