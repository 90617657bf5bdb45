"""Two people who edit the same task, each on a process of his own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.service import Service, running
from tests.page.browser import TIMEOUT_MS, Watch
from tests.page.conftest import Person
from tests.page.steps import TASKS, changed, field, is_live, made, opened, panel, read, row

TASK = {"title": "Call", "notes": "soon", "priority": "low"}


@pytest.fixture
def colleague(tmp_path: Path, browser: Browser, service: Service) -> Iterator[Page]:
    """Return the page of somebody else, from another process on the same store."""
    with running(tmp_path) as other:
        watch = Watch(other.url)
        context = watch.over(browser.new_context(base_url=other.url, locale="en-US"))
        context.set_default_timeout(TIMEOUT_MS)
        yield context.new_page()
        context.close()
    assert [] == watch.complaints


def saved(page: Page, **fields: str) -> None:
    """Type values into fields, and save."""
    for label, value in fields.items():
        field(page, label).fill(value)
    panel(page).get_by_role("button", name="Save", exact=True).click()


def line(page: Page, name: str) -> list[str]:
    """Return what was before, mine and theirs, as a conflict shows them for a field."""
    return panel(page).get_by_role("row", name=name).get_by_role("cell").all_inner_texts()


def held_back(page: Page) -> None:
    """Let a page hear nothing of changes, so that it edits what is old."""
    page.route("**/changes/stream?*", lambda route: route.abort())


@pytest.fixture
def both(page: Page, colleague: Page, service: Service) -> tuple[Page, Page]:
    """Let two people edit the title; the second also edits the notes, and finds out."""
    made(service, TASKS, TASK)
    held_back(colleague)
    colleague.goto("/app/tasks#1")
    opened(page, f"{TASKS}#1")
    field(colleague, "Title").fill("Call Bob")
    field(colleague, "Notes").fill("today")
    saved(page, Title="Call Ann")
    expect(panel(page).locator(".state")).to_have_text("Saved.")
    panel(colleague).get_by_role("button", name="Save", exact=True).click()
    expect(panel(colleague).get_by_role("heading", name="Two changes of the same thing")).to_be_focused()
    return page, colleague


def test_side_by_side(both: tuple[Page, Page], service: Service) -> None:
    """The second sees mine and theirs, field by field, with what both had before; nothing is overwritten."""
    _, second = both
    assert ["Call", "Call Bob", "Call Ann"] == line(second, "Title")
    assert ["soon", "today", "soon"] == line(second, "Notes")
    expect(panel(second).get_by_role("row", name="Title")).to_have_class("clash")
    assert "Call Ann" == read(service, "/tasks/1")["title"]


@pytest.mark.parametrize(
    ("button", "title", "notes"),
    [("Keep mine", "Call Bob", "today"), ("Take theirs", "Call Ann", "soon"), (None, "Call Ann", "today")],
)
def test_choices(both: tuple[Page, Page], service: Service, button: str | None, title: str, notes: str) -> None:
    """Mine is kept, theirs is taken, or each field is chosen; the first sees the result."""
    first, second = both
    if button is None:
        panel(second).get_by_label("Title: Theirs").check()
    panel(second).get_by_role("button", name=button or "Save what is chosen").click()
    expect(field(second, "Title")).to_have_value(title)
    expect(field(second, "Notes")).to_have_value(notes)
    expect(panel(second).locator(".state")).to_have_text("Saved.")
    expect(field(first, "Title")).to_have_value(title)
    expect(field(first, "Notes")).to_have_value(notes)
    task = read(service, "/tasks/1")
    assert (title, notes) == (task["title"], task["notes"])


def test_it_survives_a_reload(both: tuple[Page, Page], service: Service) -> None:
    """After a reload the conflict is still there with all that was typed, also when there is a third change."""
    _, second = both
    changed(service, "/tasks/1", priority="high")
    second.reload()
    expect(panel(second).get_by_role("heading", name="Two changes of the same thing")).to_be_visible()
    assert ["soon", "today", "soon"] == line(second, "Notes")
    assert ["Low", "Low", "High"] == line(second, "Priority")
    panel(second).get_by_role("button", name="Keep mine").click()
    expect(panel(second).locator(".state")).to_have_text("Saved.")
    assert ("Call Bob", "high") == (read(service, "/tasks/1")["title"], read(service, "/tasks/1")["priority"])


@pytest.mark.parametrize("hears", [True, False])
def test_a_third_change_while_one_chooses(both: tuple[Page, Page], service: Service, *, hears: bool) -> None:
    """What was changed while one chose is shown before it is overwritten, whether the page heard of it or not."""
    _, second = both
    if hears:
        second.unroute_all()
        is_live(second)
    changed(service, "/tasks/1", title="Call Eve")
    if hears:
        expect(row(second, "Call Eve")).to_be_visible()
    assert ["Call", "Call Bob", "Call Ann"] == line(second, "Title")
    panel(second).get_by_role("button", name="Keep mine").click()
    expect(panel(second).get_by_role("row", name="Title")).to_contain_text("Call Eve")
    assert ["Call Ann", "Call Bob", "Call Eve"] == line(second, "Title")
    assert ["soon", "today", "soon"] == line(second, "Notes")
    assert "Call Eve" == read(service, "/tasks/1")["title"]
    panel(second).get_by_role("button", name="Keep mine").click()
    expect(panel(second).locator(".state")).to_have_text("Saved.")
    expect(panel(second).locator("h2")).to_have_text("Call Bob")
    assert ("Call Bob", "today") == (read(service, "/tasks/1")["title"], read(service, "/tasks/1")["notes"])


def test_in_the_list(person: Person, service: Service) -> None:
    """An edit in the list, and a tick, open the same conflict."""
    made(service, TASKS, TASK, {"title": "other"})
    page = person()
    held_back(page)
    page.goto("/app/tasks")
    row(page, "Call").get_by_role("button", name="Edit").click()
    page.locator(".editing").get_by_label("Title").fill("Call Bob")
    changed(service, "/tasks/1", title="Call Ann")
    changed(service, "/tasks/2", status="cancelled")
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", name="Two changes of the same thing")).to_be_visible()
    assert ["Call", "Call Bob", "Call Ann"] == line(page, "Title")
    page.keyboard.press("Escape")
    row(page, "other").get_by_role("checkbox").click()
    expect(panel(page).get_by_role("row", name="Status")).to_be_visible()
    assert ["Pending", "Done", "Cancelled"] == line(page, "Status")


def test_deleted_meanwhile(page: Page, service: Service) -> None:
    """What somebody deleted while it was edited can be restored, and what was typed is still there."""
    made(service, TASKS, TASK)
    opened(page, f"{TASKS}#1")
    field(page, "Notes").fill("typed")
    with service.client() as client:
        client.delete("/tasks/1")
    panel(page).get_by_role("button", name="Restore").click()
    expect(panel(page).get_by_role("heading", name="Two changes of the same thing")).to_be_visible()
    assert "typed" == line(page, "Notes")[1]


def test_own_changes_hide_no_others(page: Page, service: Service) -> None:
    """A tick between typing and saving does not hide that somebody changed the task before."""
    made(service, TASKS, TASK)
    opened(page, f"{TASKS}#1")
    field(page, "Title").fill("Call Bob")
    changed(service, "/tasks/1", title="Call Ann")
    row(page, "Call Ann").get_by_role("checkbox").click()
    expect(row(page, "Call Ann")).to_contain_text("Done")
    panel(page).get_by_role("button", name="Save", exact=True).click()
    expect(panel(page).get_by_role("heading", name="Two changes of the same thing")).to_be_visible()
    assert ["Call", "Call Bob", "Call Ann"] == line(page, "Title")
