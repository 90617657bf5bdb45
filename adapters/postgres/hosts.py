"""The hosts of a URL: connecting to the first of them that accepts writes."""

from collections.abc import Sequence
from typing import Any

import asyncpg

_NEXT = (OSError, asyncpg.TargetServerAttributeNotMatched, asyncpg.CannotConnectNowError)
"""With these errors (an `OSError` also for silence) another host may still take the connection."""


class Hosts:
    """Tries the hosts in order, but first of all the one that was right the last time.

    The driver would try them too, but give all of its time to the first one, if that is silent as a lost machine is.
    """

    def __init__(self, dsns: Sequence[str]) -> None:
        """Prepare; each DSN names one host."""
        self._dsns = list(dsns)

    async def connect(self, *, within: float, **options: Any) -> "asyncpg.Connection[Any]":
        """Connect `within` so many seconds, of which each host has an equal share; `options` are the driver's.

        Raises the error of the last host that could not be reached, or else says that none accepts writes.
        """
        failures: list[Exception] = []
        share = within / len(self._dsns)
        for dsn in tuple(self._dsns):
            try:
                connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn, timeout=share, **options)
            except _NEXT as error:
                failures.append(error)
            else:
                self._dsns.sort(key=lambda each: each != dsn)
                return connection
        failures.sort(key=lambda each: not isinstance(each, asyncpg.TargetServerAttributeNotMatched))
        raise failures[-1]
