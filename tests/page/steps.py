"""What people do on the page, and what they see."""

from typing import Any

from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from tests.e2e.service import Service

TASKS = "tasks"
PRODUCTS = "products"


def made(service: Service, collection: str, *entities: dict[str, Any]) -> list[dict[str, Any]]:
    """Make entities by the service's API, and return them."""
    with service.client() as client:
        answers = [client.post(f"/{collection}", json=each) for each in entities]
    assert all(each.status_code == 201 for each in answers), answers[-1].text
    return [each.json() for each in answers]


def read(service: Service, path: str) -> Any:
    """Read from the service's API."""
    with service.client() as client:
        return client.get(path).json()


def changed(service: Service, path: str, **fields: Any) -> Any:
    """Change an entity as somebody else would, and return it."""
    with service.client() as client:
        answer = client.patch(path, json=fields)
    assert 200 == answer.status_code, answer.text
    return answer.json()


def opened(page: Page, path: str) -> Page:
    """Open a view, and return once it follows the changes of its list."""
    page.goto(f"/app/{path}")
    is_live(page)
    return page


def is_live(page: Page) -> None:
    """Wait until the page follows changes."""
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")


class Late:
    """Answers that the service has given and the page does not get before they are let go."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._page, self._pattern = page, pattern
        self._held: list[tuple[Route, APIResponse]] = []
        page.route(pattern, lambda route: self._held.append((route, route.fetch())))

    def wait(self) -> None:
        """Return once an answer is held; nothing else tells that."""
        while not self._held:
            self._page.wait_for_timeout(20)

    def let_go(self) -> None:
        """Give the page what is held, and hold nothing more."""
        self._page.route(self._pattern, lambda route: route.continue_())  # the newest one counts
        for route, answer in self._held:
            route.fulfill(response=answer)


def rows(page: Page) -> Locator:
    """Return the rows of the list."""
    return page.locator(".body .row")


def row(page: Page, title: str) -> Locator:
    """Return the row of an entity."""
    return rows(page).filter(has=page.get_by_role("link", name=title, exact=True))


def titles(page: Page) -> list[str]:
    """Return the titles that the list shows, in order."""
    return page.locator(".body .row .title a").all_inner_texts()


def panel(page: Page) -> Locator:
    """Return the panel of the entity that is open."""
    return page.locator("aside.panel")


def field(page: Page, label: str) -> Locator:
    """Return a field of the entity that is open."""
    return panel(page).get_by_label(label, exact=True)
