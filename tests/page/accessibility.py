"""What axe-core finds on a page: breaches of WCAG 2.2 AA, and of what axe calls best practice."""

from functools import cache
from importlib.resources import files

from playwright.sync_api import Page

RUN = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help}: ${target.join(" ")}`));
}
"""


@cache
def script() -> str:
    """Return axe-core, as a package from PyPI brings it."""
    return (files("axe_playwright_python") / "axe.min.js").read_text()


def findings(page: Page) -> list[str]:
    """Return what is wrong on the page that is shown, as it is shown now."""
    page.evaluate(script())
    found: list[str] = page.evaluate(RUN)
    return found


def sticking_out(page: Page) -> int:
    """Return by how many pixels a page is wider than a window of 320, whose size is then put back."""
    before = page.viewport_size or {"width": 1280, "height": 720}
    page.set_viewport_size({"width": 320, "height": 720})
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    page.set_viewport_size(before)
    return int(wider)
