"""Purging old data in small steps, so that no write waits long behind a purge."""

from datetime import datetime, timedelta

from adapters.postgres import access_keys, deliveries
from adapters.postgres.connections import Connection
from adapters.postgres.log import FORGOTTEN, NEWEST
from domain.retention import Belief, advance

AT_ONCE = 500

_OUTCOMES = """
DELETE FROM receipts WHERE (caller, name) IN
  (SELECT caller, name FROM receipts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
"""

# The log stays from its first young change on, even if a slow clock dated later changes earlier.
_OLD = f"""
SELECT forgotten, least(reach, (SELECT min(number) - 1 FROM changes WHERE number <= reach AND at >= $1)) AS old
FROM (SELECT {FORGOTTEN} AS forgotten, least({FORGOTTEN} + $2, $3, {NEWEST}) AS reach) AS log
"""

_FORGET = """
WITH gone AS (DELETE FROM changes WHERE number <= $1 RETURNING kind, number)
INSERT INTO forgotten SELECT kind, max(number) FROM gone GROUP BY kind
ON CONFLICT (kind) DO UPDATE SET number = excluded.number
"""


async def believe(connection: Connection, now: datetime, elapsed: timedelta) -> datetime:
    """Decide the time that retention goes by, one process after the other, and return it."""
    async with connection.transaction(isolation="read_committed"):
        await connection.execute("SELECT FROM secrets FOR UPDATE")
        known = await connection.fetchrow("SELECT believed, said FROM retention")
        newest = await connection.fetchval("SELECT at FROM changes ORDER BY number DESC LIMIT 1")
        belief = advance(Belief(*known) if known else None, now=now, elapsed=elapsed, newest=newest)
        await connection.execute("DELETE FROM retention")
        await connection.execute("INSERT INTO retention VALUES ($1, $2)", belief.believed, belief.said)
    return belief.believed


async def purge(connection: Connection, at: datetime, *, changes_before: datetime, keep: int | None) -> bool:
    """Purge some expired outcomes, old deliveries and old changes up to number `keep`; return whether more remain.

    One process purges at a time; while another does, this returns at once.
    """
    async with connection.transaction(isolation="read_committed"):
        if await connection.fetchval("SELECT true FROM secrets FOR UPDATE SKIP LOCKED") is None:
            return False
        await access_keys.purge(connection, at)
        more = await deliveries.purge(connection, changes_before, AT_ONCE)
        outcomes = await connection.execute(_OUTCOMES, at, AT_ONCE)
        ((forgotten, old),) = await connection.fetch(_OLD, changes_before, AT_ONCE, keep)
        if old > forgotten:
            await connection.execute(_FORGET, old)
            await connection.execute("DELETE FROM former_cursors WHERE number < $1", old)
    return more or outcomes == f"DELETE {AT_ONCE}" or old - forgotten == AT_ONCE
