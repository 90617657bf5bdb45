"""Working with the list of tasks."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.service import Service
from tests.page.conftest import Person
from tests.page.steps import TASKS, changed, field, made, opened, panel, read, row, rows, titles

NOW = "2026-11-26T12:00:00"  # a Thursday


def test_quick_add(page: Page, service: Service) -> None:
    """One line becomes a task, and shows before how it will be understood."""
    page.clock.set_fixed_time(NOW)
    opened(page, TASKS)
    line = page.locator("#quick-add")
    line.fill("Buy milk !high @2027-12-31 now")
    expect(page.locator("#understood")).to_have_text("Title: Buy milk nowPriority: HighDue: Dec 31, 2027")
    line.press("Enter")
    expect(row(page, "Buy milk now")).to_be_visible()
    expect(line).to_have_value("")
    task = read(service, "/tasks/1")
    assert ("high", "2027-12-31") == (task["priority"], task["due"])


def test_words_of_quick_add(page: Page, person: Person) -> None:
    """Days may be named, abbreviated and counted, also in German; what is no such word belongs to the title."""
    page.clock.set_fixed_time(NOW)
    opened(page, TASKS)
    for word, due in (
        ("@tomorrow", "tomorrow"),
        ("@fri", "tomorrow"),
        ("@thu", "Dec 3"),
        ("@+10", "Dec 6"),
    ):
        page.locator("#quick-add").fill(f"a {word}")
        expect(page.locator("#understood")).to_have_text(f"Title: aDue: {due}")
    for title in ("a@b.example", "mail @ home", "what!", "a !nope @t"):
        page.locator("#quick-add").fill(title)
        expect(page.locator("#understood")).to_have_text(f"Title: {title}")
    german = person(locale="de-DE")
    german.clock.set_fixed_time(NOW)
    opened(german, TASKS).locator("#quick-add").fill("Milch !hoch @mo")
    expect(german.locator("#understood")).to_have_text("Titel: MilchPriorität: HochFällig: 30. Nov.")


def test_refused_lines_stay(page: Page) -> None:
    """A line that the service refuses comes back, with the reason."""
    opened(page, TASKS)
    page.locator("#quick-add").fill("x" * 201)
    page.locator("#quick-add").press("Enter")
    expect(page.locator("#understood")).to_contain_text("200")
    expect(page.locator("#quick-add")).to_have_value("x" * 201)


def test_inline_edit(page: Page, service: Service) -> None:
    """A row is edited in its place; Enter saves, and Escape gives up, which can be undone."""
    made(service, TASKS, {"title": "one"}, {"title": "two"})
    opened(page, TASKS)
    row(page, "two").get_by_role("button", name="Edit").click()
    page.locator(".editing").get_by_label("Title").fill("second")
    page.locator(".editing").get_by_label("Priority").select_option("high")
    with page.expect_response("**/tasks/2"):
        page.locator(".editing").get_by_label("Title").press("Enter")
    expect(row(page, "second")).to_contain_text("High")
    expect(rows(page).nth(1)).to_be_focused()
    assert 2 == read(service, "/tasks/2")["version"]

    page.keyboard.press("e")
    page.keyboard.type("other")
    page.keyboard.press("Escape")
    expect(row(page, "second")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".editing").get_by_label("Title")).to_have_value(re.compile("other"))


def test_inline_edit_that_is_refused(page: Page, service: Service) -> None:
    """A refused edit says why, and what was typed is still there."""
    made(service, TASKS, {"title": "one"})
    opened(page, TASKS)
    row(page, "one").get_by_role("button", name="Edit").click()
    page.locator(".editing").get_by_label("Title").fill("  ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("title is required")
    expect(page.locator(".editing").get_by_label("Title")).to_have_value("  ")


def test_tick(page: Page, service: Service) -> None:
    """A tick completes a task, and another one makes it pending again."""
    made(service, TASKS, {"title": "one"})
    opened(page, TASKS)
    with page.expect_response("**/tasks/1"):
        page.get_by_role("checkbox", name="one").check()
    expect(row(page, "one")).to_contain_text("Done")
    assert "done" == read(service, "/tasks/1")["status"]
    page.get_by_role("checkbox", name="one").uncheck()
    expect(row(page, "one")).to_contain_text("Pending")


def test_tick_of_what_changes(page: Page, service: Service) -> None:
    """A tick that is pressed while somebody changes the task opens a conflict, and overwrites nothing."""
    made(service, TASKS, {"title": "one"}, {"title": "two"})
    opened(page, TASKS)
    page.get_by_role("checkbox", name="one").hover()
    page.mouse.down()
    changed(service, "/tasks/1", priority="high")
    changed(service, "/tasks/2", priority="low")
    expect(row(page, "two")).to_contain_text("Low")
    page.mouse.up()
    expect(panel(page).get_by_role("heading", name="Two changes of the same thing")).to_be_visible()
    expect(row(page, "one")).to_contain_text("High")
    task = read(service, "/tasks/1")
    assert ("pending", "high") == (task["status"], task["priority"])


def test_edit_of_what_one_has_just_ticked(page: Page, service: Service) -> None:
    """An edit on the version before one's own tick is no conflict, also while the list does not show that version."""
    made(service, TASKS, {"title": "one"})
    opened(page, TASKS)
    row(page, "one").get_by_role("button", name="Edit").click()
    tick = "import(document.querySelector('script[src$=\"app.js\"]').src.replace('app.js', 'outbox.js'))"
    page.evaluate(
        f"{tick}.then((outbox) => outbox.submit("
        "{method: 'PATCH', path: 'tasks/1', version: 1, body: {status: 'done'}, label: 'tick'}).then(() => null))"
    )
    assert 2 == read(service, "/tasks/1")["version"]
    page.locator(".editing").get_by_label("Title").fill("first")
    with page.expect_response("**/tasks/1") as answer:
        page.locator(".editing").get_by_label("Title").press("Enter")
    assert (200, 3) == (answer.value.status, read(service, "/tasks/1")["version"])


def test_delete_and_undo(page: Page, service: Service) -> None:
    """What was deleted comes back, with its id, by one click; the focus goes to the next row."""
    made(service, TASKS, {"title": "one"}, {"title": "two"})
    opened(page, TASKS)
    row(page, "one").get_by_role("button", name="Delete").click()
    expect(row(page, "one")).to_have_count(0)
    expect(row(page, "two")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "one")).to_be_visible()
    assert 3 == read(service, "/tasks/1")["version"]


def test_filters_search_and_order(page: Page, service: Service) -> None:
    """Filters, search and order are the query of the address, and a change that no longer matches leaves the list."""
    made(
        service,
        TASKS,
        {"title": "Brötchen", "priority": "high", "due": "2026-01-02"},
        {"title": "milk", "notes": "and brotchen", "status": "done"},
        {"title": "Äpfel", "due": "2026-01-01"},
    )
    opened(page, TASKS)
    page.get_by_label("Search").fill("BROTCHEN")
    expect(rows(page)).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/app/tasks\?q=BROTCHEN$"))
    page.get_by_label("Search").fill("")
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Status", exact=True).select_option("Open")
    expect(page).to_have_url(re.compile(r"\?status\[in\]=pending,in_progress$"))
    expect(rows(page)).to_have_count(2)  # a list that is read anew gets new heads
    page.get_by_role("columnheader", name="Title").get_by_role("button").click()
    expect(page).to_have_url(re.compile(r"&sort=title$"))
    expect(rows(page).first).to_contain_text("Äpfel")
    page.get_by_role("columnheader", name="Title").get_by_role("button").click()
    expect(rows(page).first).to_contain_text("Brötchen")
    page.get_by_role("checkbox", name="Äpfel").click()
    expect(rows(page)).to_have_count(1)


def test_back_forward_and_shared_links(page: Page, person: Person, service: Service) -> None:
    """Back and forward walk through what was shown, and a link shows the same to somebody else."""
    made(service, TASKS, {"title": "one"}, {"title": "two", "priority": "high"})
    opened(page, TASKS)
    page.get_by_label("Priority", exact=True).select_option("High")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="two", exact=True).click()
    expect(panel(page)).to_be_visible()
    shared = page.url
    page.get_by_role("link", name="Products").click()
    expect(page.get_by_role("grid", name="Products")).to_be_visible()
    page.go_back()
    expect(field(page, "Title")).to_have_value("two")
    page.go_back()
    expect(panel(page)).to_be_hidden()
    page.go_back()
    expect(rows(page)).to_have_count(2)
    page.go_forward()
    expect(rows(page)).to_have_count(1)

    friend = person()
    friend.goto(shared)
    expect(field(friend, "Title")).to_have_value("two")
    expect(rows(friend)).to_have_count(1)
    assert ["two"] == titles(friend)


def test_other_filters_are_seen(page: Page, service: Service) -> None:
    """A filter of a link that no control has is shown, and can be dropped; a wrong one says what is wrong."""
    made(service, TASKS, {"title": "one"}, {"title": "two"})
    opened(page, "tasks?id[gt]=1")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Drop the filter id[gt]").click()
    expect(rows(page)).to_have_count(2)
    page.goto("/app/tasks?colour=red")
    expect(page.get_by_role("alert")).to_contain_text("colour")
