"""List what was delivered to a webhook, and what was attempted."""

from domain.deliveries import Delivery
from domain.errors import BadCursor
from domain.ports import Store
from domain.use_cases.read import read_one
from domain.webhook import WEBHOOK


async def list_deliveries(webhook: int, *, before: str | None, limit: int, store: Store) -> tuple[Delivery, ...]:
    """Return up to `limit` deliveries, newest first, begun before the one with the id `before`.

    Raises `NotFound` where there is no such webhook, `BadCursor` where it has no delivery with the id.
    """
    await read_one(store, WEBHOOK, webhook)
    if before is not None and await store.deliveries.delivery(webhook, before) is None:
        raise BadCursor
    return await store.deliveries.history(webhook, before=before, limit=limit)
