"""A list of 100,000 tasks."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.service import Service, running
from tests.page.steps import changed, opened, panel, rows

COUNT = 100_000
MAX_ROWS = 100
TO_THE_END = """
async () => {
  let most = 0;
  let blank = 0;
  const foot = document.querySelector(".foot");
  while (!foot.textContent.startsWith("100,000 tasks")) {
    scrollTo(0, document.body.scrollHeight);
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    const rows = document.querySelectorAll(".body .row");
    most = Math.max(most, rows.length);
    const boxes = [...rows].map((each) => each.getBoundingClientRect());
    blank += !boxes.some(({ top, bottom }) => top < innerHeight && bottom > 0);
  }
  return { most, blank };
}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service with very many tasks."""
    with running(tmp_path_factory.mktemp("large")) as service, service.client() as client:
        for start in range(0, COUNT, 1000):
            operations = [{"op": "create", "body": {"title": f"task {n:06}"}} for n in range(start, start + 1000)]
            assert 200 == client.post("/tasks/bulk", json={"operations": operations}).status_code
        yield service


def test_it_scrolls(page: Page, service: Service) -> None:
    """It scrolls to its end, and there are never more rows in the page than can be seen and some beside."""
    opened(page, "tasks?sort=-title")
    expect(page.locator(".foot")).to_contain_text("of 100,000 are read")
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(COUNT + 1))
    result = page.evaluate(TO_THE_END)
    assert 0 == result["blank"]
    assert MAX_ROWS > result["most"]
    expect(rows(page).last).to_contain_text("task 000000")
    expect(rows(page).last).to_have_attribute("aria-rowindex", str(COUNT + 1))

    changed(service, "/tasks/3", title="task 000002 changed")
    expect(rows(page).filter(has_text="changed")).to_be_visible()
    rows(page).last.focus()
    page.keyboard.press("Home")
    expect(rows(page).first).to_contain_text("task 099999")
    expect(rows(page).first).to_be_focused()


def test_it_stays_where_it_is(page: Page) -> None:
    """What is opened has the focus, and the list behind it does not move."""
    opened(page, "tasks")
    page.evaluate("scrollTo(0, 2000)")
    line = rows(page).filter(has_text="task 000055")
    expect(line).to_be_in_viewport()
    before = line.bounding_box()
    line.get_by_role("link").click()
    expect(panel(page).get_by_role("heading", name="task 000055")).to_be_focused()
    after = line.bounding_box()
    assert before is not None
    assert after is not None
    assert 1 > abs(before["y"] - after["y"])  # a window scrolls by whole pixels


def test_only_its_beginning_is_read(page: Page) -> None:
    """What nobody looks at is not read."""
    opened(page, "tasks?q=task")
    expect(page.locator(".foot")).to_have_text("100 of 100,000 are read. Scroll for more.")
