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

    `former` are the names that the log had before it was copied or moved to where it is. Each has the number of the
    newest change of that moment: up to there its cursors mean what they meant. It is None where they were no numbers.
    """

    name: str
    former: Mapping[str, int | None] = field(factory=dict)

    def cursor(self, number: int) -> Cursor:
        """Return the cursor behind change `number`; 0 is the place before the first."""
        return Cursor(f"{self.name}-{number}")

    def number(self, cursor: Cursor) -> int:
        """Return the number of the change that `cursor` is behind.

        Raises `BadCursor` for that of another log, `CursorExpired` for one of a former name that means nothing here.
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
