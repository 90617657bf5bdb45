"""The file of an import: opened, spooled if it cannot be read twice, and read as text from its beginning."""

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from shutil import copyfileobj
from stat import S_ISREG
from typing import BinaryIO, TextIO

from attrs import define, field

from adapters.serialization.text_lines import ESCAPED

STDIN = Path("-")
BUFFER = 1 << 20

_UTF8 = b"\xef\xbb\xbf"
_MARKS = {_UTF8: "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class WrongEncoding(Exception):
    """The first bytes of a file say that it has another encoding."""


@define(eq=False)
class InputFile:
    """A file whose text can be read more than once. `done` counts the bytes that were read this time, of `size`."""

    raw: BinaryIO
    done: int = field(default=0, init=False)
    _stamp: tuple[int, int] = field(init=False)
    _start: bytes = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._stamp = self._now()
        self._start = self.read(3, 0)

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return self._stamp[0]

    @property
    def has_changed(self) -> bool:
        """Tell whether somebody wrote to the file since it was opened."""
        return self._now() != self._stamp

    def check_mark(self, encoding: str) -> None:
        """Raise `WrongEncoding` for a byte-order mark of another encoding."""
        for mark, meant in _MARKS.items():
            if self._start.startswith(mark) and not encoding.replace("_", "-").startswith((meant, "utf-32")):
                raise WrongEncoding(f"it begins as {meant} does: say --encoding {meant}")

    def digest(self, *options: object) -> str:
        """Return a name of the content, as it is read with these options."""
        made, position = blake2b(repr(options).encode(), digest_size=16), 0
        while data := self.read(BUFFER, position):
            made.update(data)
            position += len(data)
        return made.hexdigest()

    def text(self, encoding: str) -> TextIO:
        """Return the text from the beginning, with its line ends as they are."""
        self.done = 0
        bytes_ = io.BufferedReader(_Reading(self), BUFFER)
        return io.TextIOWrapper(bytes_, self.encoding(encoding), errors=ESCAPED, newline="")

    def encoding(self, encoding: str) -> str:
        """Return the encoding in which to read it, and to write the same again: with its byte-order mark."""
        return "utf-8-sig" if encoding == "utf-8" and self._start == _UTF8 else encoding

    def read(self, size: int, position: int) -> bytes:
        """Return the bytes at a position, whatever else is read."""
        return os.pread(self.raw.fileno(), size, position)

    def _now(self) -> tuple[int, int]:
        found = os.fstat(self.raw.fileno())
        return found.st_size, found.st_mtime_ns


class _Reading(io.RawIOBase):
    """Reads a file from its beginning, and leaves it open for another time."""

    def __init__(self, file: InputFile) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        data = self._file.read(len(buffer), self._file.done)
        buffer[: len(data)] = data
        self._file.done += len(data)
        return len(data)


@contextmanager
def opened(path: Path) -> Iterator[InputFile]:
    """Open a file, or stdin for `-`. What cannot be read twice is copied to a temporary file. Raises `OSError`."""
    if path == STDIN:
        with _spooled(sys.stdin.buffer) as spooled:
            yield InputFile(spooled)
        return
    with path.open("rb", buffering=0) as source:
        if S_ISREG(os.fstat(source.fileno()).st_mode):
            yield InputFile(source)
            return
        with _spooled(source) as spooled:
            yield InputFile(spooled)


@contextmanager
def _spooled(source: BinaryIO) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as spooled:
        copyfileobj(source, spooled, BUFFER)
        spooled.flush()
        yield spooled
