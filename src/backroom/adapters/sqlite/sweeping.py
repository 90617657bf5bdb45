"""Forgetting what is no longer kept, a little at a time, so that no write ever waits long behind it."""

from datetime import datetime

import apsw

from backroom.adapters.sqlite.connections import fetch
from backroom.adapters.sqlite.rows import microseconds

AT_ONCE = 500


def sweep(connection: apsw.Connection, at: datetime, *, changes_before: datetime, kept_from: int | None) -> bool:
    """Forget some expired receipts and old changes; return whether there is more to forget."""
    connection.execute(
        "DELETE FROM receipts WHERE (caller, name) IN"
        " (SELECT caller, name FROM receipts WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
        (microseconds(at), AT_ONCE),
    )
    receipts = connection.changes()
    newest, forgotten = fetch(connection, "SELECT newest, forgotten FROM log")[0]
    end = min(newest, newest if kept_from is None else kept_from, forgotten + AT_ONCE)
    # The log is in commit order; the first change that is young enough ends what may be forgotten.
    young = fetch(
        connection,
        "SELECT min(number) FROM changes WHERE number > ? AND number <= ? AND at >= ?",
        (forgotten, end, microseconds(changes_before)),
    )[0][0]
    end = end if young is None else young - 1
    if end > forgotten:
        connection.execute("DELETE FROM changes WHERE number <= ?", (end,))
        connection.execute("UPDATE log SET forgotten = ?", (end,))
    return receipts == AT_ONCE or end - forgotten == AT_ONCE
