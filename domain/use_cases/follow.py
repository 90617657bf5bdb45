"""Follow the changes: find where to begin. From there, `ChangeLog.read` continues."""

from domain.changes import Cursor
from domain.ports import ChangeLog


async def start(log: ChangeLog, after: str | None) -> Cursor | None:
    """Return where to begin: `now` is the end of the log, and None the oldest change that is kept."""
    if after is None:
        return None
    return await log.head() if after == "now" else Cursor(after)
