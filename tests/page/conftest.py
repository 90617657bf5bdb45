"""A browser, a service, and people who look at its pages."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.service import Service, running
from tests.page.browser import TIMEOUT_MS, Watch, started

Person = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return the browser that all tests of pages share. A test has a context of its own."""
    with started() as browser:
        yield browser


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a service of the test's own. Where tests only look, their module lets this be `shared_service`."""
    with running(tmp_path) as service:
        yield service


@pytest.fixture(scope="module")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service that the tests of a module share."""
    with running(tmp_path_factory.mktemp("shared")) as service:
        yield service


@pytest.fixture
def watch(service: Service) -> Iterator[Watch]:
    """Fail the test when a page did what no page may do."""
    watch = Watch(service.url)
    yield watch
    assert [] == watch.complaints


@pytest.fixture
def person(browser: Browser, service: Service, watch: Watch) -> Iterator[Person]:
    """Return a function that gives one more person a page, with cookies and storage of its own.

    It takes the options of a browser's context, such as `locale` or `color_scheme`. Paths are those of the service.
    """
    contexts = []

    def sit_down(**options: Any) -> Page:
        chosen = {"base_url": service.url, "locale": "en-US", "timezone_id": "UTC", **options}
        context = watch.over(browser.new_context(**chosen))
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        return context.new_page()

    yield sit_down
    for context in contexts:
        context.close()


@pytest.fixture
def page(person: Person) -> Page:
    """Return a page that shows nothing yet."""
    return person()
