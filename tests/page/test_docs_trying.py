"""What the documentation shows can be tried on the page: with a session, or without a key on this machine."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.service import Service, running
from tests.e2e.test_access import new_key
from tests.http.access import bearer
from tests.page.conftest import Person
from tests.page.test_docs import opened


def at(page: Page, id: str) -> Locator:
    """Open an operation, and return it."""
    opened(page, f"#{id}")
    return page.locator(f"#{id}")


def log_in(page: Page, key: str) -> None:
    """Log in with a key."""
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Log in").click()


def test_without_a_key(page: Page, service: Service) -> None:
    """On a service that is open, what is sent takes effect; status, headers and body of the answer are shown."""
    operation = at(page, "createTask")
    operation.get_by_label("Body").fill('{"title": "Tried", "priority": "high"}')
    operation.get_by_label("Idempotency-Key").fill("once")
    for replayed in (False, True):
        operation.get_by_role("button", name="Send").click()
        expect(operation.locator(".output")).to_have_attribute("aria-busy", "false")
        expect(operation.locator(".status")).to_contain_text("201 Created, after ")
        operation.locator(".output summary").click()
        expect(operation.get_by_label("Headers of the answer")).to_contain_text('etag: "1"')
        assert replayed == ("idempotency-replayed" in operation.get_by_label("Headers of the answer").inner_text())
        expect(operation.get_by_label("Body of the answer")).to_contain_text('"title": "Tried"')
    with service.client() as client:
        assert ["Tried"] == [each["title"] for each in client.get("/tasks").json()["tasks"]]


def test_dry_run(page: Page, service: Service) -> None:
    """A write can be tried without storing anything."""
    operation = at(page, "createTask")
    operation.get_by_role("button", name="Try without storing").click()
    expect(operation.locator(".status")).to_contain_text("201")
    operation.locator(".output summary").click()
    expect(operation.get_by_label("Headers of the answer")).to_contain_text("preference-applied: validate-only")
    with service.client() as client:
        assert 0 == client.get("/tasks").json()["count"]


def test_parameters_and_refusals(page: Page, service: Service) -> None:
    """Parameters are sent as they are typed. A refusal is shown as it comes, with every violation."""
    with service.client() as client:
        client.post("/products", json={"name": "Nut & Bolt", "price": 1})
    operation = at(page, "listProducts")
    operation.get_by_label("q", exact=True).fill("nut & bolt")
    operation.locator("summary", has_text="more parameters").click()
    operation.get_by_label("price[lt]").fill("2")
    operation.get_by_label("Answer as").select_option("text/csv")
    operation.get_by_role("button", name="Send").click()
    expect(operation.get_by_label("Body of the answer")).to_contain_text("Nut & Bolt")
    expect(operation.get_by_label("Body of the answer")).to_contain_text("id,version,created_at")
    operation.get_by_label("price[lt]").fill("cheap")
    operation.get_by_role("button", name="Send").click()
    expect(operation.locator(".status")).to_contain_text("400 Bad Request")
    expect(operation.get_by_label("Body of the answer")).to_contain_text('"code": "bad_parameter"')


def test_choices(page: Page, service: Service) -> None:
    """A parameter with a few values offers them, also where they are a component of the document."""
    with service.client() as client:
        client.post("/tasks", json={"title": "Order paper"})
        client.post("/tasks", json={"title": "Sweep the floor", "status": "done"})
    operation = at(page, "listTasks")
    operation.locator("summary", has_text="more parameters").click()
    operation.get_by_label("status", exact=True).select_option("done")
    operation.get_by_role("button", name="Send").click()
    expect(operation.get_by_label("Body of the answer")).to_contain_text("Sweep the floor")
    expect(operation.get_by_label("Body of the answer")).not_to_contain_text("Order paper")


def test_no_answer(page: Page, service: Service) -> None:
    """Where the service is gone, the page says so."""
    operation = at(page, "alive")
    service.kill()
    operation.get_by_role("button", name="Send").click()
    expect(operation.get_by_role("alert")).to_contain_text("There was no answer")


def test_with_a_session(tmp_path: Path, page: Page, service: Service) -> None:
    """A wrong key is refused in words. A key opens a session, and what is tried has its scope, until one logs out."""
    admin, reader = new_key(tmp_path), new_key(tmp_path, "read")
    operation = at(page, "createTask")
    log_in(page, reader[:-1] + ("0" if reader[-1] != "0" else "1"))
    expect(page.get_by_role("banner").get_by_role("alert")).to_contain_text("this key is not valid")
    operation.get_by_role("button", name="Send").click()
    expect(operation.locator(".status")).to_contain_text("401 Unauthorized")
    log_in(page, reader)
    expect(page.get_by_role("banner")).to_contain_text("Logged in as till 2 (read)")
    operation.get_by_role("button", name="Send").click()
    expect(operation.locator(".status")).to_contain_text("403 Forbidden")
    page.get_by_role("button", name="Log out").click()
    log_in(page, admin)
    expect(page.get_by_role("banner")).to_contain_text("(admin)")
    operation.get_by_role("button", name="Send").click()
    expect(operation.locator(".status")).to_contain_text("201 Created")
    assert admin not in page.content()
    with service.client(headers=bearer(admin)) as client:
        changes = client.get("/changes").json()["changes"]
    assert [{"key": 1, "name": "till 2"}] == [each["actor"] for each in changes]


@pytest.mark.parametrize("id", ["followChanges", "streamChanges"])
def test_following(page: Page, service: Service, id: str) -> None:
    """The socket and the stream of events show each change as it comes, until they are stopped."""
    operation = at(page, id)
    operation.get_by_label("after", exact=True).fill("now")
    operation.get_by_role("button", name="Connect").click()
    expect(operation.get_by_role("status").filter(has_text="Connected")).to_be_visible()
    expect(operation.get_by_role("log")).not_to_be_empty()  # a socket is connected before it knows where `now` is
    with service.client() as client:
        client.post("/tasks", json={"title": "Seen at once"})
        expect(operation.get_by_role("log")).to_contain_text("Seen at once")
        operation.get_by_role("button", name="Stop").click()
        expect(operation.locator(".status")).to_contain_text("Closed with 1005" if id == "followChanges" else "Stopped")
        client.post("/tasks", json={"title": "Not seen"})
        client.get("/changes")
    expect(operation.get_by_role("log")).not_to_contain_text("Not seen")


def test_below_a_path_of_a_proxy(tmp_path: Path, person: Person) -> None:
    """Below a path, everything that the page loads, shows and sends has that path."""
    with running(tmp_path, store="memory://", trusted_proxies="127.0.0.1") as behind:

        def forward(route: Route) -> None:
            asked = urlsplit(route.request.url)
            told = {"x-forwarded-prefix": "/shop", "x-forwarded-host": asked.netloc}
            where = f"{behind.url}{asked.path.removeprefix('/shop')}"
            route.fulfill(response=route.fetch(url=where, headers={**route.request.headers, **told}))

        page = person()
        page.route("**/shop/**", forward)
        page.goto("/shop/docs#createTask")
        operation = page.locator("#createTask")
        expect(operation.locator("figure").first).to_contain_text("/shop/tasks'")
        operation.get_by_role("button", name="Send").click()
        expect(operation.locator(".status")).to_contain_text("201 Created")
        operation.locator(".output summary").click()
        expect(operation.get_by_label("Headers of the answer")).to_contain_text("location: /shop/tasks/1")
        operation.locator("summary", has_text="problems").click()
        operation.get_by_role("link", name="invalid").click()
        expect(page).to_have_url("/shop/problems/invalid")
