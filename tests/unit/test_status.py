"""What in the status of a store needs attention."""

from datetime import timedelta
from typing import Any

import pytest

from domain.status import LARGE_LOG, LITTLE_ROOM, MANY_CHANGES, NO_ROOM, Concern, StoreStatus, WebhookStatus, concerns
from tests.builders import NOON

SECOND = timedelta(seconds=1)


def status(**facts: Any) -> StoreStatus:
    """Return the status of a store without fault."""
    well = {
        "schema": "1",
        "log": "x",
        "former_logs": 0,
        "entities": {},
        "changes": 1,
        "oldest_change": NOON,
        "newest_change": NOON,
        "keys": 1,
        "webhooks": (),
        "sizes": {"file": 1, "write-ahead log": LARGE_LOG},
        "free": LITTLE_ROOM,
        "versions": {},
        "now": NOON,
    }
    return StoreStatus(**{**well, **facts})


def webhook(**facts: Any) -> WebhookStatus:
    """Return the status of a webhook that has had everything."""
    return WebhookStatus(**{"id": 2, "enabled": True, "disabled_reason": None, "lag": 0, **facts})


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"free": None, "now": None, "newest_change": None, "sizes": {}},
        {"newest_change": NOON + 60 * SECOND, "now": NOON - 60 * SECOND},
        {"webhooks": (webhook(lag=MANY_CHANGES), webhook(enabled=False, lag=MANY_CHANGES + 1))},
    ],
)
def test_all_is_well(facts: dict[str, Any]) -> None:
    """Nothing needs attention, up to each limit."""
    assert [] == list(concerns(status(**facts), now=NOON))


@pytest.mark.parametrize(
    ("facts", "text", "stops"),
    [
        ({"free": NO_ROOM - 1}, "the disk is full, so nothing can be written: free some", True),
        ({"free": LITTLE_ROOM - 1}, "the disk has only 255 MiB left", False),
        ({"sizes": {"write-ahead log": LARGE_LOG + 1}}, "the write-ahead log has 256 MiB", False),
        ({"now": NOON + 61 * SECOND}, "the clock here says 2026-01-31 12:00:00 UTC, and that of the database", False),
        ({"newest_change": NOON + 61 * SECOND}, "the clock says 2026-01-31 12:00:00 UTC, and the newest change", False),
        ({"webhooks": (webhook(disabled_reason="gone"),)}, "webhook 2 was disabled: gone; mend its receiver", False),
        ({"webhooks": (webhook(lag=MANY_CHANGES + 1),)}, "webhook 2 is 10,001 changes behind", False),
        ({"hints": ("a copy",)}, "a copy", False),
    ],
)
def test_concerns(facts: dict[str, Any], text: str, *, stops: bool) -> None:
    """Each concern says what it is, and whether the service can work."""
    (found,) = concerns(status(**facts), now=NOON)
    assert (True, stops) == (found.text.startswith(text), found.stops), found
    assert isinstance(found, Concern)
