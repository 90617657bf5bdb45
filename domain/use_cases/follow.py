"""Follow the changes: find where to begin. From there, `ChangeLog.read` continues."""

from domain.changes import Cursor
from domain.ports import ChangeLog


async def start(log: ChangeLog, after: str | None, last: int = 0) -> Cursor | None:
    """Return where to begin: `now` is the end of the log, and None the oldest change that is kept.

    With `last` that is in front of so many of the newest changes.
    """
    if last:
        return await log.head(before=last)
    if after is None:
        return None
    return await log.head() if after == "now" else Cursor(after)
