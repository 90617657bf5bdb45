"""Limits that clients are promised. Other tests make them small enough to reach."""

from adapters.http.feed import event_stream, feed, polling
from adapters.sqlite import store


def test_how_far_and_how_long_a_reader_may_lag_behind() -> None:
    """A reader may lag by 1,000 changes and for 10 seconds. The check is frequent enough for that."""
    assert (1000, 10) == (feed.MAX_BEHIND, feed.TIMEOUT_S)
    assert feed.WINDOW >= feed.MAX_BEHIND
    assert feed.LOOK_EVERY_S <= feed.TIMEOUT_S / 10


def test_how_long_silence_lasts() -> None:
    """A stream sends something every 15 seconds, and a poll waits up to 60."""
    assert (15, 60) == (event_stream.HEARTBEAT_S, polling.MAX_WAIT_S)


def test_how_soon_another_process_is_heard() -> None:
    """A change of another process arrives within 100 milliseconds with one file. PostgreSQL notifies at once."""
    assert store.LOOK_AGAIN_S <= 0.1
