"""Retain what is young enough, and what an enabled webhook has not had; purge the rest."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from domain.ports import Store


async def retain(
    store: Store, *, at: datetime, elapsed: timedelta, kept: timedelta, turn: Callable[[], Awaitable[None]]
) -> datetime:
    """Purge all that is older than `kept`, by as much of the clock's time `at` as is believed; return that time.

    `elapsed` is the time since this was done before. It is done in small steps, between which others get their `turn`.
    """
    believed = await store.believe(at, elapsed=elapsed)
    while await store.purge(believed, changes_before=believed - kept, keep=await store.deliveries.needed()):
        await turn()
    return believed
