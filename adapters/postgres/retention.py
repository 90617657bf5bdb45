"""Forgetting what is no longer kept, a little at a time, so that no write ever waits long behind it."""

from datetime import datetime, timedelta

from adapters.postgres import access_keys, deliveries
from adapters.postgres.connections import Connection
from adapters.postgres.log import SETTLED
from adapters.postgres.places import Place
from domain.retention import Belief, advance

AT_ONCE = 500

_RECEIPTS = """
DELETE FROM receipts WHERE (caller, name) IN
  (SELECT caller, name FROM receipts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
"""

# The log is kept from its first young change on, even if a clock that is behind made older ones after it.
_OLD = f"""
SELECT epoch, xid, seq FROM (
  SELECT epoch, xid, seq, bool_and(at < $1) OVER (ORDER BY epoch, xid, seq) AS old FROM (
    SELECT epoch, xid, seq, at FROM changes
    WHERE {SETTLED} AND (epoch, xid, seq) <= ($3, $4, $5)
    ORDER BY epoch, xid, seq LIMIT $2
  ) AS oldest
) AS oldest WHERE old ORDER BY epoch, xid, seq
"""

_FORGET = """
WITH gone AS (DELETE FROM changes WHERE (epoch, xid, seq) <= ($1, $2, $3) RETURNING kind, epoch, xid, seq)
INSERT INTO forgotten SELECT DISTINCT ON (kind) * FROM gone ORDER BY kind, epoch DESC, xid DESC, seq DESC
ON CONFLICT (kind) DO UPDATE SET (epoch, xid, seq) = (excluded.epoch, excluded.xid, excluded.seq)
"""


async def believe(connection: Connection, now: datetime, elapsed: timedelta) -> datetime:
    """Decide which time retention believes, one process after the other, and return it."""
    async with connection.transaction(isolation="read_committed"):
        await connection.execute("SELECT FROM secrets FOR UPDATE")
        known = await connection.fetchrow("SELECT believed, said FROM retention")
        newest = await connection.fetchval("SELECT at FROM changes ORDER BY epoch DESC, xid DESC, seq DESC LIMIT 1")
        belief = advance(Belief(*known) if known else None, now=now, elapsed=elapsed, newest=newest)
        await connection.execute("DELETE FROM retention")
        await connection.execute("INSERT INTO retention VALUES ($1, $2)", belief.believed, belief.said)
    return belief.believed


async def purge(connection: Connection, at: datetime, *, changes_before: datetime, keep: Place) -> bool:
    """Forget some expired receipts, old deliveries and, up to a place, old changes; tell whether there may be more.

    One process at a time: where another is at it, there is nothing left to do.
    """
    async with connection.transaction(isolation="read_committed"):
        if await connection.fetchval("SELECT true FROM secrets FOR UPDATE SKIP LOCKED") is None:
            return False
        await access_keys.purge(connection, at)
        more = await deliveries.purge(connection, changes_before, AT_ONCE)
        receipts = await connection.execute(_RECEIPTS, at, AT_ONCE)
        old = await connection.fetch(_OLD, changes_before, AT_ONCE, keep.epoch, keep.xid, keep.seq)
        if old:
            await connection.execute(_FORGET, *old[-1])
            await connection.execute("DELETE FROM former_cursors WHERE (epoch, xid, seq) < ($1, $2, $3)", *old[-1])
    return more or receipts == f"DELETE {AT_ONCE}" or len(old) == AT_ONCE
