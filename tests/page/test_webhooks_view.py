"""Webhooks in the page: made, tested, switched, and their deliveries with each attempt."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.receiver import receiving
from tests.e2e.service import Service, running
from tests.page.accessibility import findings, sticking_out


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a service that may send to this machine."""
    with running(tmp_path, webhooks_allow_private="1") as service:
        yield service


def test_from_making_to_deleting(page: Page, service: Service) -> None:
    """A webhook is made for some changes, tested, retried, switched off and on, given a new secret, and deleted."""
    page.goto("/app/webhooks")
    with receiving() as receiver:
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_label("task.created").check()
        page.get_by_role("button", name="Make a webhook").click()
        expect(page.locator(".secret")).to_contain_text("whsec_")
        first = page.locator(".secret").inner_text()
        page.get_by_role("button", name=f"Test: {receiver.url}").click()
        deliveries = page.get_by_role("group", name="Deliveries").locator("tbody tr")
        expect(deliveries).to_have_count(1)
        expect(deliveries.first).to_contain_text("webhook.test")
        expect(deliveries.first).to_contain_text("failed")
        expect(deliveries.first.get_by_role("listitem")).to_contain_text(": 503 (")
        page.get_by_role("button", name="Retry: webhook.test").click()
        expect(deliveries).to_have_count(2)
        expect(deliveries.first).to_contain_text("delivered")
        expect(deliveries.first.get_by_role("listitem")).to_contain_text(": 204 (")
        assert [] == findings(page)
        assert 0 == sticking_out(page)

        enabled = page.get_by_label(f"Enabled: {receiver.url}")
        with page.expect_response(lambda answer: answer.request.method == "PATCH"):
            enabled.uncheck()
        expect(enabled).not_to_be_checked()
        expect(enabled).to_have_attribute("data-version", "2")  # an edit is one of what the list has read
        with service.client() as client:
            webhook = client.get("/webhooks/1").json()
            assert (False, ["task.created"]) == (webhook["enabled"], webhook["types"])
        page.get_by_role("button", name=f"Edit: {receiver.url}").click()
        page.get_by_label("Description").fill("the shop")
        page.get_by_label("task.created").uncheck()
        page.get_by_label("product.deleted").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("group", name="Webhooks")).to_contain_text("the shop")
        with service.client() as client:
            webhook = client.get("/webhooks/1").json()
            assert ("the shop", ["product.deleted"]) == (webhook["description"], webhook["types"])
            client.patch("/webhooks/1", json={"description": "somebody else"}).raise_for_status()
        expect(page.get_by_role("group", name="Webhooks")).to_contain_text("somebody else")
        page.get_by_role("button", name=f"New secret: {receiver.url}").click()
        expect(page.locator(".secret")).not_to_have_text(first)
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name=f"Delete: {receiver.url}").click()
        expect(enabled).to_have_count(0)


def test_what_is_refused(page: Page, service: Service) -> None:
    """A refusal is shown in the words of the service."""
    del service
    page.goto("/app/webhooks")
    page.get_by_label("Address").fill("ftp://example.com")
    page.get_by_role("button", name="Make a webhook").click()
    expect(page.get_by_role("alert")).to_contain_text("url must begin with https:// or http://")
