"""Cursors of a log whose changes are numbered 1, 2, 3 … in commit order, without gaps."""

import re
from collections.abc import Mapping

from attrs import field, frozen

from domain.changes import Cursor, log_of
from domain.errors import BadCursor, CursorExpired

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


@frozen
class CursorCodec:
    """The cursors of the log called `name`, which is 1 to 32 letters and digits.

    `former` has the earlier names of a log that was copied or moved. Each has the number of the newest change at that
    moment, up to which its cursors still hold. The number is None if cursors of that name were no numbers.
    """

    name: str
    former: Mapping[str, int | None] = field(factory=dict)

    def cursor(self, number: int) -> Cursor:
        """Return the cursor behind change `number`; 0 is the position before the first."""
        return Cursor(f"{self.name}-{number}")

    def number(self, cursor: Cursor) -> int:
        """Return the number of the change that `cursor` is behind.

        Raises `BadCursor` for a cursor of another log, `CursorExpired` for a former one that no longer holds.
        """
        name, digits = log_of(cursor), cursor.partition("-")[2]
        number = int(digits) if _NUMBER.fullmatch(digits) else None
        if name == self.name and number is not None:
            return number
        if name not in self.former:
            raise BadCursor
        newest = self.former[name]
        if number is None or newest is None or number > newest:
            raise CursorExpired
        return number
