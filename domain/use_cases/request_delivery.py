"""Ask for a delivery to a webhook: a test, or a message once more."""

from domain.commands import NOBODY, Refuse
from domain.deliveries import WebhookDispatcher
from domain.errors import NotFound
from domain.ports import Store
from domain.use_cases.write import Answer, Terms, carry_out
from domain.webhook import WEBHOOK, RequireExists


async def request_test(webhook: int, terms: Terms, *, store: Store, dispatcher: WebhookDispatcher) -> Answer:
    """Send a webhook a test."""
    delivery = dispatcher.test(webhook)
    return await carry_out(store, (RequireExists(id=webhook),), terms, deliveries=(delivery,))


async def request_again(
    webhook: int, delivery: str, terms: Terms, *, store: Store, dispatcher: WebhookDispatcher
) -> Answer:
    """Send the message of a delivery once more. An unknown delivery is refused."""
    known = await store.deliveries.delivery(webhook, delivery)
    if known is None:
        unknown = Refuse(entity_type=WEBHOOK, error=NotFound(entity_type="delivery", id=NOBODY))
        return await carry_out(store, (RequireExists(id=webhook), unknown), terms)
    return await carry_out(store, (RequireExists(id=webhook),), terms, deliveries=(dispatcher.again(known),))
