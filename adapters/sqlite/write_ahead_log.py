"""Checking the write-ahead log: SQLite ends it at the first damaged frame, and forgets what is behind without a word.

The format is documented at sqlite.org/fileformat2.html#walformat.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from domain.inspection.findings import Finding, Kind

UNFINISHED = 1
"""How many commits may follow a damaged frame after a power cut: the one that was not synced yet."""

_HEADER, _FRAME = 32, 24
_BIG_ENDIAN = 0x377F0683
_MAGICS = (0x377F0682, _BIG_ENDIAN)

Sums = tuple[int, int]


@frozen
class _Log:
    """What the header of a log says."""

    header: bytes
    order: str
    page_size: int
    salts: bytes
    sums: Sums

    def is_ours(self, frame: bytes) -> bool:
        """Tell whether a frame was written since the log began anew."""
        return frame[8:16] == self.salts

    def sums_after(self, frame: bytes, page: bytes, before: Sums) -> Sums:
        """Return the sums that should be in a frame."""
        return _added(frame[:8] + page, self.order, before)


def check_write_ahead_log(path: Path) -> Iterator[Finding]:
    """Yield that commits are lost behind a damaged frame of a store's log. It may grow meanwhile, or begin anew."""
    log = path.resolve().with_name(f"{path.resolve().name}-wal")
    if not log.exists():
        return
    with log.open("rb") as file:
        found = _header(file.read(_HEADER))
        if found is None:
            return
        number, sums = 0, found.sums
        damaged: tuple[int, int, Sums] | None = None
        commits = 0
        while (frame := _next(file, found)) is not None:
            number += 1
            if damaged is None:
                offset = file.tell() - _FRAME - found.page_size
                should = found.sums_after(*frame, sums)
                if struct.unpack(">2I", frame[0][16:24]) != should:
                    damaged = number, offset, sums
                sums = should
            else:
                commits += frame[0][4:8] != bytes(4)
        if damaged is not None and commits > UNFINISHED and _is_still(file, found, *damaged[1:]):
            what = f"is damaged in frame {damaged[0]}, and at least {commits} commits behind it are lost"
            yield Finding(Kind.PAGE, log.name, what)


def _header(header: bytes) -> _Log | None:
    """Read the header; without a good one, SQLite takes nothing from the log."""
    if len(header) < _HEADER:
        return None
    magic, _, page_size, _, _, _, one, two = struct.unpack(">8I", header)
    order = ">" if magic == _BIG_ENDIAN else "<"
    if magic not in _MAGICS or _added(header[:24], order, (0, 0)) != (one, two):
        return None
    return _Log(header, order, page_size, header[16:24], (one, two))


def _next(file: BinaryIO, log: _Log) -> tuple[bytes, bytes] | None:
    """Read a frame with its page, or None at the end of what was written since the log began anew."""
    frame, page = file.read(_FRAME), file.read(log.page_size)
    return (frame, page) if len(page) == log.page_size and log.is_ours(frame) else None


def _is_still(file: BinaryIO, log: _Log, offset: int, sums: Sums) -> bool:
    """Tell whether a frame is damaged when it is read again: a writer may have been writing it."""
    file.seek(0)
    if file.read(_HEADER) != log.header:
        return False
    file.seek(offset)
    again = _next(file, log)
    return again is not None and struct.unpack(">2I", again[0][16:24]) != log.sums_after(*again, sums)


def _added(data: bytes, order: str, before: Sums) -> Sums:
    one, two = before
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
