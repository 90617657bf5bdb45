"""Messages on stderr: lines for people, or one JSON object on each line for programs."""

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from select import PIPE_BUF
from time import monotonic
from types import TracebackType

LOG = logging.getLogger("backroom")

QUIET_S = 60
"""The time during which the same warning is not repeated."""

_FD = 2
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class Stderr:
    """Writes whole lines in pieces that the output of another process cannot split. Only longer lines can be split."""

    def write(self, lines: str) -> None:
        """Write them. When nobody can read them any more, they are lost; that is no reason to end."""
        data, start = lines.encode(errors="backslashreplace"), 0
        with suppress(OSError):
            while start < len(data):
                end = data.rfind(b"\n", start, start + PIPE_BUF) + 1 or data.find(b"\n", start) + 1 or len(data)
                start += os.write(_FD, data[start:end])

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""


STDERR = Stderr()


class AsText(logging.Formatter):
    """A message for people, with its traceback on lines of its own, which begin with spaces.

    A request may supply part of it, so its text can neither imitate the start of a line nor move a terminal's cursor.
    """

    def format(self, record: logging.LogRecord) -> str:
        lines = _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", super().format(record)).split("\n")
        return "backroom: " + "\n  ".join(lines)


class AsJson(logging.Formatter):
    """A message for programs, with its traceback in it."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        document = {"at": at, "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return json.dumps(document)


class Once(logging.Filter):
    """Drops a warning that was given lately, because a failing store fails every request in the same way."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._given: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        text, now = record.getMessage(), self._clock()
        self._given = {each: at for each, at in self._given.items() if now - at < QUIET_S}
        is_new = text not in self._given
        self._given.setdefault(text, now)
        return is_new


def speak(log: str) -> None:
    """Write logs, warnings and fatal errors of the process or a thread to stderr, as `text` or `json`."""
    handler = logging.StreamHandler(STDERR)
    handler.setFormatter(AsJson() if log == "json" else AsText())
    logging.getLogger().handlers = [handler]
    LOG.setLevel(logging.INFO)
    LOG.filters = [Once()]
    logging.captureWarnings(True)
    sys.excepthook = _ended
    sys.unraisablehook = _unraisable
    threading.excepthook = _thread_ended


def is_json() -> bool:
    """Tell whether every line on stderr is to be a JSON object."""
    return any(isinstance(each.formatter, AsJson) for each in logging.getLogger().handlers)


def tell(text: str) -> None:
    """Write a note of a command: its text as it is, or one JSON object. An empty one only ends a line on a terminal."""
    if not is_json():
        print(text, file=sys.stderr, flush=True)
    elif text:
        LOG.info("%s", text)


def _ended(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    LOG.critical("ended by what nobody foresaw", exc_info=(kind, error, traceback))


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        LOG.error(
            "a thread was ended by what nobody foresaw",
            exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback),
        )


def _unraisable(found: "sys.UnraisableHookArgs") -> None:
    if found.exc_value is not None:
        message = found.err_msg or "an error that nobody can catch, in"
        LOG.error("%s %r", message, found.object, exc_info=(found.exc_type, found.exc_value, found.exc_traceback))
