"""The check of accessibility can fail."""

import pytest
from playwright.sync_api import Page

from tests.e2e.service import Service
from tests.page.accessibility import findings


@pytest.fixture
def service(shared_service: Service) -> Service:
    """Return one service for all tests here."""
    return shared_service


def test_it_finds_what_is_wrong(page: Page) -> None:
    """A field without a name, and text that can hardly be seen, are found."""
    page.goto("/app/")
    page.evaluate("document.body.append(document.createElement('input'))")
    page.evaluate("document.body.append('pale'); document.body.style.color = '#eee'; null")
    found = " ".join(findings(page))
    assert "label: " in found
    assert "color-contrast: " in found
