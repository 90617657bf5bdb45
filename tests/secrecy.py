"""No test may leave a secret behind: in what was logged or printed, or in a file.

A key, the token of a session and the secret of a calendar carry a checksum, so any of them can be told from other text,
whichever process made it, and also without its prefix. The secrets of webhooks have a prefix of their own.
"""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.http.openapi.examples import SECRET as EXAMPLE
from domain.access.key_text import PREFIX, RANDOM_CHARACTERS, SUM_CHARACTERS, is_key

_LENGTH = RANDOM_CHARACTERS + SUM_CHARACTERS
_RUN = re.compile(
    rb"[0-9A-Za-z]{%d,}" % _LENGTH
)  # no prefix is a part of it; a look-behind would be three times slower
_OF_WEBHOOK = re.compile(rb"whsec_[0-9A-Za-z+/]{32,}=*")
_CUT = re.compile(rb"br[msc]_[0-9A-Za-z]{8,30}")  # also a part of a secret, and what only looks like one

_SHOWN_BY = {"create", "rotate"}
"""The commands of ours that print a key for their caller."""

MAY_HOLD: set[Path] = set()
"""The files of clients, who have to keep their secrets somewhere."""

_printed: list[tuple[str, bytes]] = []


def note(source: str, text: str | bytes) -> None:
    """Note what was logged or printed; `left_behind` looks at it."""
    _printed.append((source, text.encode(errors="surrogateescape") if isinstance(text, str) else text))


def left_behind(report: pytest.TestReport, folder: Path | None) -> list[str]:
    """Return where secrets are: in what a report captured, in what was noted since the last one, or in a folder."""
    printed = [*_printed, *((title, text.encode()) for title, text in report.sections)]
    _printed.clear()
    found = [(source, each) for source, text in printed for each in (*secrets_in(text), *_cut_in(text))]
    for file in () if folder is None else folder.rglob("*"):
        if file.is_file() and not file.is_symlink() and file not in MAY_HOLD:
            found += [(str(file), each) for each in secrets_in(file.read_bytes())]
    return [f"{source}: a secret, {each[:8].decode()}…" for source, each in found]


def secrets_in(data: bytes) -> Iterator[bytes]:
    """Yield the whole secrets in some data. One character again and again is only an example of a secret."""
    for each in (run[:_LENGTH] for run in _RUN.findall(data)):
        if len({*each[:RANDOM_CHARACTERS]}) > 1 and is_key(PREFIX + each.decode()):
            yield each
    yield from (each for each in _OF_WEBHOOK.findall(data) if each != EXAMPLE.encode())


def _cut_in(text: bytes) -> Iterator[bytes]:
    return (each for each in _CUT.findall(text) if len({*each[len(PREFIX) :]}) > 1)


class Overheard(subprocess.Popen[Any]):
    """A process whose output is noted when it is read, but not what it prints for somebody who may see secrets."""

    def __init__(self, args: Any, *more: Any, **options: Any) -> None:
        super().__init__(args, *more, **options)
        self._name = str(args)
        self._shows = args[0] != sys.executable or not _SHOWN_BY.isdisjoint(args)
        if isinstance(self.stderr, io.TextIOWrapper):
            self.stderr = _noted(self.stderr, self._name)
        if isinstance(self.stdout, io.TextIOWrapper) and not self._shows:
            self.stdout = _noted(self.stdout, self._name)

    def communicate(self, *args: Any, **more: Any) -> tuple[Any, Any]:
        out, err = super().communicate(*args, **more)
        note(f"stderr of {self._name}", err or b"")
        if not self._shows:
            note(f"stdout of {self._name}", out or b"")
        return out, err


class _Pipe(io.TextIOWrapper):
    source = ""

    def __next__(self) -> str:  # type: ignore[override] # the types take it for a file of bytes
        return self._noted(super().__next__())

    def readline(self, *size: Any) -> str:  # type: ignore[override] # the same
        return self._noted(super().readline(*size))

    def read(self, *size: Any) -> str:
        return self._noted(super().read(*size))

    def _noted(self, text: str) -> str:
        note(self.source, text)
        return text


def _noted(pipe: io.TextIOWrapper, source: str) -> _Pipe:
    """Return the same pipe, noting what is read of it."""
    noted = _Pipe(pipe.detach(), encoding=pipe.encoding, errors=pipe.errors)
    noted.source = f"output of {source}"
    return noted
