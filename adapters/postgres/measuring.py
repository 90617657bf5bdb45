"""Measuring a store: its log, its webhooks, and the size of its database."""

from adapters.postgres.connections import Connection
from adapters.postgres.log import NEWEST
from domain.measurements import MOST_BACKLOGS, Backlog, Measurements

_LOG = f"""
SELECT {NEWEST} AS newest, (SELECT at FROM changes ORDER BY number LIMIT 1) AS oldest_at,
  pg_database_size(current_database()) AS size
"""
_BACKLOGS = f"""
SELECT webhook, coalesce(enabled, false) AS enabled, {NEWEST} - positions.number AS changes,
  (SELECT at FROM changes WHERE changes.number > positions.number ORDER BY number LIMIT 1) AS since
FROM positions LEFT JOIN webhooks ON id = webhook ORDER BY positions.number, webhook LIMIT $1
"""


async def measure(connection: Connection) -> Measurements:
    """Measure a database."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        (log,) = await connection.fetch(_LOG)
        found = await connection.fetch(_BACKLOGS, MOST_BACKLOGS)
    return Measurements(**log, backlogs=tuple(Backlog(**row) for row in found))
