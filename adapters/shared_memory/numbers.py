"""Numbers that all workers of a host share. Each worker writes a block of its own, and a reader adds up all blocks.

The parent makes the memory before it forks. A block has one row for each name, with some numbers in it. Only the worker
that has the block writes to it, so writing needs no lock. A worker that takes the block of a dead one finds its rows,
and goes on from there. So a count never goes down, however workers end.
"""

import mmap
from collections.abc import Mapping

NAME = 184  # bytes; a longer name is cut
WIDTH = 16  # numbers of a row
ROWS = 16_384  # of a block; the system gives memory only to those that are used

_ROW = NAME + 8 * WIDTH
_HEAD = _ROW  # of a block: the number of its rows


class SharedNumbers:
    """The blocks of all workers, and the block of this one."""

    def __init__(self, *, blocks: int = 1, rows: int = ROWS) -> None:
        self._rows = rows
        self._block_size = _HEAD + rows * _ROW
        self._bytes = memoryview(mmap.mmap(-1, blocks * self._block_size))
        self._numbers = self._bytes.cast("d")
        self.take(0)

    def take(self, block: int) -> None:
        """Write to this block from now on. No other process may write to it."""
        self.block = block
        self._known = dict(self._rows_of(block))

    def row(self, name: str) -> int:
        """Return the row of a name, a new one if need be. Only one thread may call it.

        When the block is full, new names share a row that nobody reads.
        """
        key = name.encode()[:NAME]
        start = self._known.get(key)
        if start is None:
            start = self._known[key] = self._begin(key)
        return start

    def add(self, row: int, amount: float, at: int = 0) -> None:
        """Add to a number of a row. Only one thread may write to a row."""
        self._numbers[row + at] += amount

    def put(self, row: int, value: float, at: int = 0) -> None:
        """Set a number of a row."""
        self._numbers[row + at] = value

    def total(self) -> Mapping[str, list[float]]:
        """Return the numbers of each name, added up over all blocks."""
        totals: dict[bytes, list[float]] = {}
        for block in range(len(self._bytes) // self._block_size):
            for name, start in self._rows_of(block):
                here = self._numbers[start : start + WIDTH].tolist()
                before = totals.get(name, [0.0] * WIDTH)
                totals[name] = [one + other for one, other in zip(before, here, strict=True)]
        return {name.decode(errors="replace"): numbers for name, numbers in totals.items()}

    def _begin(self, key: bytes) -> int:
        head = self.block * self._block_size
        number = int(self._numbers[head // 8])
        row = head + _HEAD + number * _ROW
        if number < self._rows - 1:
            self._bytes[row : row + len(key)] = key
            self._numbers[head // 8] = number + 1  # readers see the row from now on
        return (row + NAME) // 8

    def _rows_of(self, block: int) -> list[tuple[bytes, int]]:
        """Return the name of each row of a block, and where its numbers begin."""
        head = block * self._block_size
        rows = (head + _HEAD + number * _ROW for number in range(int(self._numbers[head // 8])))
        return [(bytes(self._bytes[row : row + NAME]).rstrip(b"\0"), (row + NAME) // 8) for row in rows]
