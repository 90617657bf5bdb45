"""Cursors of a log whose changes are numbered 1, 2, 3 … in commit order."""

import re

from attrs import frozen

from domain.changes import Cursor
from domain.errors import BadCursor


@frozen
class CursorCodec:
    """The cursors of the log called `name`, which is 1 to 32 letters and digits."""

    name: str

    def cursor(self, number: int) -> Cursor:
        """Return the cursor behind change `number`; 0 is the place before the first."""
        return Cursor(f"{self.name}-{number}")

    def number(self, cursor: Cursor) -> int:
        """Return the number of the change that `cursor` is behind. Raises `BadCursor` for that of another log."""
        name, _, number = cursor.partition("-")
        if name != self.name or not re.fullmatch(r"0|[1-9][0-9]{0,17}", number):
            raise BadCursor
        return int(number)
