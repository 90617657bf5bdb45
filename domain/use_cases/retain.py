"""Keep recent changes and those that an enabled webhook still needs; purge the rest."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from domain.ports import Store


async def retain(
    store: Store, *, at: datetime, elapsed: timedelta, kept: timedelta, turn: Callable[[], Awaitable[None]]
) -> datetime:
    """Purge data older than `kept`, by the believed part of the clock's time `at`; return the believed time.

    `elapsed` is the time since the last call. Between the small steps of a purge, others get their `turn`.
    """
    believed = await store.believe(at, elapsed=elapsed)
    while await store.purge(believed, changes_before=believed - kept, keep=await store.deliveries.needed()):
        await turn()
    return believed
