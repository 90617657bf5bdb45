"""A page that does what no page may do fails its test."""

import re
from typing import Any, cast

import pytest
from playwright.sync_api import Page

from tests.e2e.service import Service
from tests.page.browser import Watch

ELSEWHERE = "http://elsewhere.invalid/"
WAYS = [
    ("console: broken", "console", "console.error('broken')"),
    ("uncaught: .*broken", "pageerror", "setTimeout(() => { throw new Error('broken'); })"),
    ("uncaught: .*broken", "pageerror", "Promise.reject(new Error('broken')); null"),
    ("console: .*Content Security Policy", "console", f"fetch('{ELSEWHERE}').catch(() => null)"),
    ("console: .*TrustedHTML", "console", "try { document.body.innerHTML = '<b>'; } catch {}"),
    ("missing: 404 .*/static/none", "response", "new Image().src = '/static/none'"),
    (f"another host: {ELSEWHERE}", "request", f"location.href = '{ELSEWHERE}'"),
]


@pytest.fixture
def service(shared_service: Service) -> Service:
    """Return one service for all tests here."""
    return shared_service


@pytest.mark.parametrize(("complaint", "event", "script"), WAYS)
def test_it_is_told(page: Page, watch: Watch, complaint: str, event: str, script: str) -> None:
    """Console errors, exceptions, breaches of the policy, missing files and other hosts are complained about."""
    page.goto("/problems/not_found")
    with page.expect_event(cast("Any", event)):
        page.evaluate(script)
    told = [each for each in watch.complaints if re.match(complaint, each)]
    watch.complaints.clear()
    assert told


def test_refusals_that_a_page_expects(page: Page, watch: Watch) -> None:
    """An error status that a script asked for is the page's own affair."""
    page.goto("/problems/not_found")
    assert 404 == page.evaluate("fetch('/tasks/1').then((answer) => answer.status)")
    assert [] == watch.complaints
