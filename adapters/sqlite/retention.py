"""Purging old data in small steps, so that no write waits long behind a purge."""

from datetime import datetime, timedelta

import apsw

from adapters.sqlite import access_keys, deliveries
from adapters.sqlite.connections import fetch
from adapters.sqlite.table_mapping import microseconds, moment
from domain.retention import Belief, advance

AT_ONCE = 500


def believe(connection: apsw.Connection, now: datetime, elapsed: timedelta) -> datetime:
    """Decide the time that retention goes by, and return it."""
    known = fetch(connection, "SELECT believed, said FROM retention")
    before = Belief(*map(moment, known[0])) if known else None
    newest = fetch(connection, "SELECT at FROM changes ORDER BY number DESC LIMIT 1")
    belief = advance(before, now=now, elapsed=elapsed, newest=moment(newest[0][0]) if newest else None)
    values = microseconds(belief.believed), microseconds(belief.said)
    connection.execute("DELETE FROM retention")
    connection.execute("INSERT INTO retention VALUES (?, ?)", values)
    return belief.believed


def purge(connection: apsw.Connection, at: datetime, *, changes_before: datetime, kept_from: int | None) -> bool:
    """Purge some expired stored outcomes, old deliveries and old changes; return whether more remain."""
    access_keys.purge(connection, at)
    more = deliveries.purge(connection, changes_before, AT_ONCE)
    # Stored outcomes expire in the order of their numbers, unless the clock was set back between two of them.
    outcomes, last = fetch(
        connection,
        "SELECT count(*), max(number) FROM (SELECT number, expires_at FROM receipts ORDER BY number LIMIT ?)"
        " WHERE expires_at <= ?",
        (AT_ONCE, microseconds(at)),
    )[0]
    if outcomes:
        connection.execute("DELETE FROM receipts WHERE number <= ? AND expires_at <= ?", (last, microseconds(at)))
    newest, forgotten = fetch(connection, "SELECT newest, forgotten FROM log")[0]
    end = min(newest, newest if kept_from is None else kept_from, forgotten + AT_ONCE)
    # The log is in commit order, so the purge stops before the first change that is young enough.
    young = fetch(
        connection,
        "SELECT min(number) FROM changes WHERE number > ? AND number <= ? AND at >= ?",
        (forgotten, end, microseconds(changes_before)),
    )[0][0]
    end = end if young is None else young - 1
    if end > forgotten:
        connection.execute("DELETE FROM changes WHERE number <= ?", (end,))
        connection.execute("DELETE FROM former_cursors WHERE number < ?", (end,))
        connection.execute("UPDATE log SET forgotten = ?", (end,))
    return bool(more or outcomes == AT_ONCE or end - forgotten == AT_ONCE)
