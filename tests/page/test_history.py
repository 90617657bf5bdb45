"""What happened to a task."""

from playwright.sync_api import Page, expect

from tests.e2e.service import Service
from tests.page.steps import TASKS, Late, changed, field, made, opened, panel, read, row


def test_differences(page: Page, service: Service) -> None:
    """The history shows each change as a difference, with who and when, and any version's values can be restored."""
    made(service, TASKS, {"title": "a", "priority": "low"})
    changed(service, "/tasks/1", title="b", due="2001-01-31")
    changed(service, "/tasks/1", title="c", priority="high", due=None)
    opened(page, f"{TASKS}#1")
    panel(page).get_by_text("History").click()
    entries = panel(page).locator(".history > li")
    expect(entries).to_have_count(3)
    expect(entries.first).to_contain_text("changed by somebody")
    assert ["Title: b → c", "Priority: Low → High", "Due: Jan 31, 2001 → –"] == entries.first.locator(
        "li"
    ).all_inner_texts()
    panel(page).get_by_role("button", name="Restore the values of version 2").click()
    expect(field(page, "Title")).to_have_value("b")
    expect(panel(page).locator(".state")).to_have_text("Saved.")
    task = read(service, "/tasks/1")
    assert ("b", "low", "2001-01-31", 4) == (task["title"], task["priority"], task["due"], task["version"])


def test_it_stays_open(page: Page, service: Service) -> None:
    """A change that is told twice, by the feed and as an answer, closes the history once."""
    made(service, TASKS, {"title": "a"})
    opened(page, f"{TASKS}#1")
    expect(field(page, "Title")).to_have_value("a")
    late = Late(page, "**/tasks/1")
    row(page, "a").get_by_role("checkbox").click()
    expect(field(page, "Status")).to_have_value("done")
    panel(page).get_by_text("History").click()
    expect(panel(page).locator(".history > li")).to_have_count(2)
    late.wait()
    late.let_go()
    expect(row(page, "a").locator(".mark")).to_have_count(0)
    expect(panel(page).locator("details")).to_have_attribute("open", "")


def test_of_what_is_deleted(page: Page, service: Service) -> None:
    """A link to a deleted task shows its history, and brings it back; a number without a task says so."""
    made(service, TASKS, {"title": "a"})
    with service.client() as client:
        client.delete("/tasks/1")
    opened(page, f"{TASKS}#1")
    panel(page).get_by_text("History", exact=True).click()
    expect(panel(page).locator(".history > li").first).to_contain_text("deleted by somebody")
    panel(page).get_by_role("button", name="Restore", exact=True).click()
    expect(field(page, "Title")).to_have_value("a")
    page.goto(f"/app/{TASKS}#77")
    expect(panel(page)).to_contain_text("There is nothing with this number.")
