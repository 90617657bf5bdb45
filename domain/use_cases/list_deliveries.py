"""List the deliveries to a webhook, with their attempts."""

from domain.deliveries import Delivery
from domain.errors import BadCursor
from domain.ports import Store
from domain.use_cases.read import read_one
from domain.webhook import WEBHOOK


async def list_deliveries(webhook: int, *, before: str | None, limit: int, store: Store) -> tuple[Delivery, ...]:
    """Return up to `limit` deliveries, newest first, begun before the one with the id `before`.

    Raises `NotFound` for an unknown webhook, `BadCursor` if it has no delivery with the id.
    """
    await read_one(store, WEBHOOK, webhook)
    if before is not None and await store.deliveries.delivery(webhook, before) is None:
        raise BadCursor
    return await store.deliveries.history(webhook, before=before, limit=limit)
