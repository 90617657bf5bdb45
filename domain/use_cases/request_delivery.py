"""Ask for a delivery to a webhook: a test, or a message once more."""

from domain.commands import NOBODY, Refuse
from domain.decisions import CommandBatch
from domain.deliveries import WebhookDispatcher
from domain.errors import NotFound
from domain.ports import Store
from domain.webhook import WEBHOOK, RequireExists


def request_test(webhook: int, request_id: str, *, dispatcher: WebhookDispatcher) -> CommandBatch:
    """Return what is to be submitted so that a webhook is sent a test."""
    delivery = dispatcher.test(webhook)
    return CommandBatch(commands=(RequireExists(id=webhook),), request_id=request_id, deliveries=(delivery,))


async def request_again(
    webhook: int, delivery: str, request_id: str, *, store: Store, dispatcher: WebhookDispatcher
) -> CommandBatch:
    """Return what is to be submitted so that the message of a delivery is sent once more, or else is refused."""
    known = await store.deliveries.delivery(webhook, delivery)
    if known is None:
        unknown = Refuse(entity_type=WEBHOOK, error=NotFound(entity_type="delivery", id=NOBODY))
        return CommandBatch(commands=(RequireExists(id=webhook), unknown), request_id=request_id)
    again = dispatcher.again(known)
    return CommandBatch(commands=(RequireExists(id=webhook),), request_id=request_id, deliveries=(again,))
