"""What in the status of a store needs attention."""

from datetime import timedelta
from typing import Any

import pytest

from domain.measurements import Backlog, Measurements
from domain.status import LARGE_LOG, LITTLE_ROOM, MANY_CHANGES, NO_ROOM, Concern, StoreStatus, concerns
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
        "newest_change": NOON,
        "keys": 1,
        "disabled": {},
        "measurements": measured(),
        "versions": {},
        "now": NOON,
    }
    return StoreStatus(**{**well, **facts})


def measured(changes: int = 0, *, enabled: bool = True, **sizes: int | None) -> Measurements:
    """Return measurements with a webhook that has not had some changes."""
    backlog = Backlog(webhook=2, enabled=enabled, changes=changes, since=None)
    largest: dict[str, int | None] = {"wal": LARGE_LOG, "free": LITTLE_ROOM, **sizes}
    return Measurements(newest=1, oldest_at=NOON, backlogs=(backlog,), **largest)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"now": None, "newest_change": None, "measurements": measured(free=None, wal=None)},
        {"newest_change": NOON + 60 * SECOND, "now": NOON - 60 * SECOND},
        {"measurements": measured(MANY_CHANGES)},
        {"measurements": measured(MANY_CHANGES + 1, enabled=False)},
    ],
)
def test_all_is_well(facts: dict[str, Any]) -> None:
    """Nothing needs attention, up to each limit."""
    assert [] == list(concerns(status(**facts), now=NOON))


@pytest.mark.parametrize(
    ("facts", "text", "stops"),
    [
        ({"measurements": measured(free=NO_ROOM - 1)}, "the disk is full, so nothing can be written: free some", True),
        ({"measurements": measured(free=LITTLE_ROOM - 1)}, "the disk has only 255 MiB left", False),
        ({"measurements": measured(wal=LARGE_LOG + 1)}, "the write-ahead log has 256 MiB", False),
        ({"now": NOON + 61 * SECOND}, "the clock here says 2026-01-31 12:00:00 UTC, and that of the database", False),
        ({"newest_change": NOON + 61 * SECOND}, "the clock says 2026-01-31 12:00:00 UTC, and the newest change", False),
        ({"disabled": {2: "gone"}}, "webhook 2 was disabled: gone; mend its receiver", False),
        ({"measurements": measured(MANY_CHANGES + 1)}, "webhook 2 is 10,001 changes behind", False),
        ({"hints": ("a copy",)}, "a copy", False),
    ],
)
def test_concerns(facts: dict[str, Any], text: str, *, stops: bool) -> None:
    """Each concern says what it is, and whether the service can work."""
    (found,) = concerns(status(**facts), now=NOON)
    assert (True, stops) == (found.text.startswith(text), found.stops), found
    assert isinstance(found, Concern)
