"""The output of a command: notes and progress on stderr, and only its result on stdout."""

import json
import sys
from collections.abc import Callable
from typing import Any, TextIO, TypeVar

import click

from domain.use_cases.move import Report
from entrypoints.diagnostics import LOG, is_json, tell
from entrypoints.progress import JsonProgress, Progress

F = TypeVar("F", bound=Callable[..., Any])


class Output:
    """The output of a command in one mode: for people (None), for programs (`json`), or only errors (`quiet`)."""

    def __init__(self, mode: str | None, results: TextIO | None = None) -> None:
        """`results` takes the result, by default stdout."""
        self._results = results or sys.stdout
        self._json = mode == "json"
        self._quiet = mode == "quiet"

    def note(self, text: str) -> None:
        """Write a note for people."""
        if not (self._json or self._quiet):
            tell(text)

    def progress(self) -> Report:
        """Return the observer of the command's progress."""
        if self._quiet:
            return _say_nothing
        return JsonProgress(sys.stderr) if self._json or is_json() else Progress(sys.stderr)

    def result(self, text: str, **facts: Any) -> None:
        """Write the result."""
        if self._quiet:
            return
        if self._json:
            print(json.dumps(facts), file=self._results, flush=True)
        elif self._results is sys.stderr:
            tell(text)
        else:
            print(text, file=self._results, flush=True)

    def fault(self, text: str, **facts: Any) -> None:
        """Write one of many errors, which programs get as facts."""
        if self._json:
            print(json.dumps(facts), file=sys.stderr, flush=True)
        else:
            self.error(text)

    def error(self, text: str) -> None:
        """Write an error."""
        LOG.error("%s", text)


def output_options(command: F) -> F:
    """Give a command `--json` and `--quiet`; it makes its `Output` from the `mode`."""
    as_json = click.option("--json", "mode", flag_value="json", help="Progress and result as JSON, one object a line.")
    quiet = click.option("--quiet", "mode", flag_value="quiet", help="Nothing but errors.")
    return as_json(quiet(command))


def _say_nothing(what: str, done: int, total: int) -> None:
    del what, done, total
