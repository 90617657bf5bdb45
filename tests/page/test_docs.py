"""The documentation in a browser."""

from playwright.sync_api import Page, expect


def test_it_is_shown(page: Page) -> None:
    """The documentation shows every operation."""
    page.goto("/docs")
    expect(page.locator("#operations details").first).to_be_visible()
