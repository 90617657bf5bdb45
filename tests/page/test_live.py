"""Other people's changes."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.service import Service, running
from tests.page.conftest import Person
from tests.page.steps import TASKS, Late, changed, field, is_live, made, opened, read, row, rows, titles


def test_changes_appear_where_they_belong(page: Page, service: Service) -> None:
    """What somebody makes, changes and deletes appears in its place in the order, marked for a moment."""
    made(service, TASKS, {"title": "b"}, {"title": "d"})
    opened(page, "tasks?sort=title")
    made(service, TASKS, {"title": "Ç"})
    expect(rows(page)).to_have_text(["bNormalPending✎✕", "ÇNormalPending✎✕", "dNormalPending✎✕"])
    expect(rows(page).nth(1)).to_have_class(re.compile("changed"))
    changed(service, "/tasks/1", title="e")
    expect(page.locator(".body .title a")).to_have_text(["Ç", "d", "e"])
    with service.client() as client:
        client.delete("/tasks/2")
    expect(rows(page)).to_have_count(2)
    expect(page.locator(".changed")).to_have_count(0)


def test_only_what_matches_appears(page: Page, service: Service) -> None:
    """In a filtered list a change appears or leaves as the service's own filter says."""
    made(service, TASKS, {"title": "milk"}, {"title": "tea"})
    opened(page, "tasks?q=MÏLK")
    made(service, TASKS, {"title": "no"}, {"title": "oat milk"})
    expect(row(page, "oat milk")).to_be_visible()
    assert ["milk", "oat milk"] == titles(page)
    changed(service, "/tasks/1", title="water")
    expect(rows(page)).to_have_count(1)
    changed(service, "/tasks/2", notes="with milk")
    expect(row(page, "tea")).to_be_visible()


def test_own_changes_are_not_marked(page: Page, service: Service) -> None:
    """What one does oneself is not marked, also when the change is told before the answer."""
    made(service, TASKS, {"title": "a"}, {"title": "b"})
    opened(page, TASKS)
    late = Late(page, "**/tasks/1")
    page.get_by_role("checkbox", name="a").click()
    late.wait()
    changed(service, "/tasks/2", title="c")
    expect(row(page, "c")).to_have_class(re.compile("changed"))
    assert "changed" not in (row(page, "a").get_attribute("class") or "")
    late.let_go()
    expect(row(page, "a").locator(".mark")).to_have_count(0)


def test_what_is_edited_does_not_move(page: Page, service: Service) -> None:
    """While a row is edited it stays where it is on the screen, with what was typed, whatever comes before it."""
    made(service, TASKS, *({"title": f"task {n:03}"} for n in range(60)))
    opened(page, "tasks?sort=title")
    page.mouse.wheel(0, 900)
    row(page, "task 030").get_by_role("button", name="Edit").click()
    title = page.locator(".editing").get_by_label("Title")
    title.fill("being typed")
    before = title.bounding_box()
    made(service, TASKS, *({"title": f"a new {n}"} for n in range(5)))
    changed(service, "/tasks/31", title="zzz")  # the same task goes elsewhere
    changed(service, "/tasks/1", title="zz")
    expect(page.locator(".foot")).to_have_text("65 tasks")
    expect(page.locator(".grid")).to_have_attribute("aria-rowcount", "66")
    expect(title).to_have_value("being typed")
    expect(title).to_be_focused()
    assert before == title.bounding_box()


def test_the_connection(tmp_path: Path, person: Person, service: Service) -> None:
    """The state of the connection is seen. After a break the page goes on behind the last change and misses nothing."""
    port = service.url.rpartition(":")[2]
    page = opened(person(), TASKS)
    made(service, TASKS, {"title": "before"})
    expect(row(page, "before")).to_be_visible()
    service.kill()
    expect(page.locator(".connection")).to_have_text("No connection")
    with (
        page.expect_response(lambda answer: "/changes/stream" in answer.url) as resumed,
        running(tmp_path, port=port) as again,
    ):
        made(again, TASKS, {"title": "meanwhile"})
        is_live(page)
        expect(row(page, "meanwhile")).to_be_visible()
        changes = read(again, "/changes")["changes"]
    cursor = resumed.value.request.headers["last-event-id"]
    assert changes[0]["cursor"] == cursor


def test_changes_that_are_no_longer_known(page: Page, service: Service) -> None:
    """When the log has lost the place of the page, the page reads its list anew."""
    made(service, TASKS, {"title": "a"})
    page.route(
        "**/changes/stream?*",
        lambda route: route.fulfill(status=200, content_type="text/event-stream", body="event: reset\ndata: {}\n\n"),
        times=1,
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/tasks?limit=100" in request.url else None)
    with page.expect_response(lambda answer: answer.url in asked and 2 == len(asked)):
        opened(page, TASKS)
    expect(rows(page)).to_have_count(1)
    assert 2 == len(asked)


def test_what_is_open_is_updated(page: Page, service: Service) -> None:
    """An open task shows what others store, but not in a field that one has typed in."""
    made(service, TASKS, {"title": "a"})
    opened(page, "tasks#1")
    field(page, "Title").fill("mine")
    changed(service, "/tasks/1", notes="theirs")
    expect(page.get_by_text("Somebody changed this meanwhile.")).to_be_visible()
    expect(field(page, "Title")).to_have_value("mine")


def test_what_is_told_before_an_answer_stays(page: Page, service: Service) -> None:
    """An open task shows a change that is told before the answer to what was asked earlier."""
    made(service, TASKS, {"title": "a"})
    late = Late(page, "**/tasks/1")
    opened(page, "tasks#1")
    late.wait()
    changed(service, "/tasks/1", title="b")
    expect(row(page, "b")).to_be_visible()
    late.let_go()
    expect(field(page, "Title")).to_have_value("b")


def test_a_hidden_page_holds_no_connection(page: Page, service: Service) -> None:
    """A page that nobody sees lets go of its stream, and catches up when it is seen again."""
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    opened(page, TASKS)
    page.evaluate(hide, True)
    expect(page.locator(".connection")).to_have_text("Paused")
    made(service, TASKS, {"title": "meanwhile"})
    page.evaluate(hide, False)
    is_live(page)
    expect(row(page, "meanwhile")).to_be_visible()
