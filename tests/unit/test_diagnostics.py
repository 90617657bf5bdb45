"""Messages, and their repetition."""

import logging

from entrypoints.diagnostics import QUIET_S, Once


def record(text: str, *arguments: object, level: int = logging.WARNING) -> logging.LogRecord:
    """Return what would be logged."""
    return logging.LogRecord("backroom", level, __file__, 1, text, arguments, None)


def test_a_warning_is_given_once_a_minute() -> None:
    """The same text is left out for a while; another one, and what is graver, is not."""
    now = 0.0
    once = Once(lambda: now)
    assert [True, False] == [once.filter(record("no space on %s", "a")) for _ in range(2)]
    assert once.filter(record("no space on %s", "b"))
    assert [True, True] == [once.filter(record("ended", level=logging.ERROR)) for _ in range(2)]
    now = QUIET_S - 1.0
    assert not once.filter(record("no space on %s", "a"))
    now = float(QUIET_S)
    assert once.filter(record("no space on %s", "a"))
