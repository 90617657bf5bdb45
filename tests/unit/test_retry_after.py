"""The wait that an endpoint asks for."""

from datetime import UTC, datetime

import pytest

from adapters.webhooks.retry_after import retry_after

NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("86401", 86_400.0),
        ("9" * 5_000, 86_400.0),
        ("Wed, 01 Jul 2026 12:02:00 GMT", 120.0),
        ("Wednesday, 01-Jul-26 12:02:00 GMT", 120.0),
        ("Wed Jul  1 12:02:00 2026", 120.0),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0.0),
        ("Wed, 01 Jul 2099 12:00:00 GMT", 86_400.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("①", None),
        ("Wed, 99 Jul 2026 12:02:00 GMT", None),
        ("Wed, 01 Jul 99999999999999999999 12:02:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_day(value: str, seconds: float | None) -> None:
    """Both forms of the header, and the obsolete dates, are read; nonsense is ignored; the wait is bounded."""
    assert seconds == retry_after(value, now=NOW)
