"""Reading the `Retry-After` field of an HTTP answer (RFC 9110, section 10.2.3)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from domain.retry_policy import MAX_RETRY_AFTER


def retry_after(value: str, *, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` field asks for, from 0 to a day; None if it is invalid.

    `value` is a number of seconds or an HTTP date, which is compared with `now`.
    """
    seconds = float(value) if value.isascii() and value.isdigit() else _seconds_until(value, now)
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER.total_seconds())


def _seconds_until(http_date: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return None
    # The obsolete forms of the date have no zone and mean UTC.
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
