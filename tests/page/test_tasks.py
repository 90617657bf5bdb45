"""Working with tasks."""

from playwright.sync_api import Page, expect


def test_quick_add(page: Page) -> None:
    """One line becomes a task, and shows before how it will be understood."""
    page.goto("/app/tasks")
    line = page.get_by_label("Add", exact=True).and_(page.locator("input"))
    line.fill("Buy milk !high @2026-12-31 now")
    expect(page.locator("#understood")).to_have_text("Title: Buy milk nowPriority: HighDue: Dec 31, 2026")
    line.press("Enter")
    expect(page.get_by_role("link", name="Buy milk now")).to_be_visible()
    expect(line).to_have_value("")
