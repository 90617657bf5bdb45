"""What clients are promised in numbers; other tests make them small enough to reach."""

from adapters.http.feed import event_stream, feed, polling
from adapters.sqlite import store


def test_how_far_and_how_long_a_reader_may_lag_behind() -> None:
    """1,000 changes and 10 seconds, which somebody looks at often enough to keep the word."""
    assert (1000, 10) == (feed.MAX_BEHIND, feed.TIMEOUT_S)
    assert feed.WINDOW >= feed.MAX_BEHIND
    assert feed.LOOK_EVERY_S <= feed.TIMEOUT_S / 10


def test_how_long_silence_lasts() -> None:
    """A stream says something every 15 seconds, and a poll waits up to 60."""
    assert (15, 60) == (event_stream.HEARTBEAT_S, polling.MAX_WAIT_S)


def test_how_soon_another_process_is_heard() -> None:
    """Within 100 milliseconds, with one file; PostgreSQL notifies at once."""
    assert store.LOOK_AGAIN_S <= 0.1
