"""A service that is gone for a while, and a page that is read anew: nothing that was typed is lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.e2e.service import Service, running
from tests.page.conftest import Person
from tests.page.steps import TASKS, field, is_live, made, opened, panel, read, row, rows


def test_killed_in_the_middle_of_typing(tmp_path: Path, person: Person, service: Service) -> None:
    """The service is killed while one types, and started again: what was typed and added arrives, once."""
    made(service, TASKS, {"title": "a"})
    page = opened(person(), f"{TASKS}#1")
    field(page, "Title").fill("half ")
    service.kill()
    field(page, "Title").press_sequentially(" typed")
    field(page, "Title").press("Enter")
    expect(panel(page).locator(".state")).to_have_text("Waits for an answer.")
    page.locator("#quick-add").fill("another")
    page.locator("#quick-add").press("Enter")
    expect(page.locator(".outbox summary")).to_have_text("2 changes wait")
    page.locator(".outbox summary").click()
    expect(page.locator(".outbox li")).to_have_text(["Change “a” Give up", "Create “another” Give up"])
    expect(row(page, "half  typed").locator(".mark")).to_have_text(["waits", "not saved"])

    with running(tmp_path, port=service.url.rpartition(":")[2]) as again:
        expect(row(page, "another")).to_be_visible()
        expect(page.locator(".outbox")).to_be_hidden()
        expect(panel(page).locator(".state")).to_have_text("Saved.")
        assert ["half  typed", "another"] == [each["title"] for each in read(again, "/tasks")["tasks"]]


def test_an_answer_that_was_lost(page: Page, service: Service) -> None:
    """A write whose answer was lost is sent again with the same key, and takes effect once."""
    opened(page, TASKS)
    keys = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) < 3:
            route.fetch()
            route.abort()
        else:
            route.fallback()

    page.route("**/tasks", lose)
    page.locator("#quick-add").fill("once")
    page.locator("#quick-add").press("Enter")
    expect(page.locator(".outbox")).to_be_visible()
    expect(page.locator(".outbox")).to_be_hidden()
    expect(rows(page)).to_have_count(1)
    assert 3 == len(keys)
    assert 1 == len(set(keys))
    assert 1 == read(service, "/tasks?total=true")["total"]


def test_without_a_network(page: Page, service: Service) -> None:
    """A browser that loses the network says so at once, and what waits; all is sent once when the network is back."""
    made(service, TASKS, {"title": "tick me"}, {"title": "gone"})
    opened(page, TASKS)
    page.context.set_offline(True)
    expect(page.locator(".connection")).to_have_text("No connection")
    row(page, "tick me").get_by_role("checkbox").click()
    page.locator("#quick-add").fill("added")
    page.locator("#quick-add").press("Enter")
    row(page, "gone").get_by_role("button", name="Delete").click()
    expect(page.locator(".outbox summary")).to_have_text("3 changes wait")
    page.context.set_offline(False)
    expect(page.locator(".outbox")).to_be_hidden()
    is_live(page)
    told = [(each["type"], each["data"]["title"]) for each in read(service, "/changes")["changes"][2:]]
    assert [("task.updated", "tick me"), ("task.created", "added"), ("task.deleted", "gone")] == told


def test_an_answer_ends_the_pause(page: Page, service: Service) -> None:
    """When a write is answered, the service is there again: the page follows its changes without waiting any longer."""
    del service
    page.clock.install()
    page.route("**/changes/stream?*", lambda route: route.abort())
    page.goto(f"/app/{TASKS}")
    expect(page.locator(".connection")).to_have_text("No connection")
    with page.expect_event("requestfailed"):
        page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # from here on nothing that waits goes on by itself
    page.unroute_all()
    page.locator("#quick-add").fill("added")
    page.locator("#quick-add").press("Enter")
    is_live(page)


def test_what_waits_survives_a_reload(page: Page, service: Service) -> None:
    """What waits is sent after a reload, in its order: an edit of one's own edit is no conflict."""
    made(service, TASKS, {"title": "a"})
    opened(page, f"{TASKS}#1")
    page.route("**/tasks/*", lambda route: route.abort() if route.request.method == "PATCH" else route.fallback())
    field(page, "Title").fill("b")
    field(page, "Title").press("Enter")
    expect(panel(page).locator(".state")).to_have_text("Waits for an answer.")
    field(page, "Notes").fill("c")
    panel(page).get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".outbox summary")).to_have_text("2 changes wait")
    page.reload()
    expect(page.locator(".outbox summary")).to_have_text("2 changes wait")
    page.unroute_all()
    expect(page.locator(".outbox")).to_be_hidden()
    expect(panel(page).locator(".state")).to_have_text("Saved.")
    task = read(service, "/tasks/1")
    assert ("b", "c", 3) == (task["title"], task["notes"], task["version"])


def test_giving_up(page: Page, service: Service) -> None:
    """What waits can be given up."""
    opened(page, TASKS)
    page.route("**/tasks", lambda route: route.abort())
    page.locator("#quick-add").fill("never")
    page.locator("#quick-add").press("Enter")
    page.locator(".outbox summary").click()
    page.get_by_role("button", name="Give up").hover()
    page.mouse.down()
    with page.expect_event("requestfailed"):
        pass  # what waits is sent again, and the button that is pressed is still the same
    page.mouse.up()
    expect(page.locator(".outbox")).to_be_hidden()
    page.unroute_all()
    page.reload()
    expect(page.locator(".foot")).to_have_text("Nothing is here yet.")
    assert 0 == read(service, "/tasks?total=true")["total"]
    page.goto("/app/tasks?q=never")
    expect(page.locator(".foot")).to_have_text("Nothing matches.")


def test_unsaved_edits_survive_a_reload(page: Page, service: Service) -> None:
    """What was typed and not saved is there after a reload: in the open task, in the list, and in the line to add."""
    made(service, TASKS, {"title": "a", "notes": "b"}, {"title": "c"})
    opened(page, f"{TASKS}#1")
    field(page, "Notes").fill("unsaved\nnotes")
    row(page, "c").get_by_role("button", name="Edit").click()
    page.locator(".editing").get_by_label("Title").fill("unsaved title")
    page.locator("#quick-add").fill("unsaved line")
    page.reload()
    expect(field(page, "Notes")).to_have_value("unsaved\nnotes")
    expect(panel(page).locator(".state")).to_contain_text("Not saved yet.")
    expect(row(page, "c").locator(".mark")).to_have_text("not saved")
    expect(page.locator("#quick-add")).to_have_value("unsaved line")
    row(page, "c").get_by_role("button", name="Edit").click()
    expect(page.locator(".editing").get_by_label("Title")).to_have_value("unsaved title")
    panel(page).get_by_role("button", name="Discard changes").click()
    expect(field(page, "Notes")).to_have_value("b")
