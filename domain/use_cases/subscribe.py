"""Subscribe to changes: make, edit, rotate, delete or restore a webhook."""

from domain.changes import Cursor
from domain.commands import Command, Create, Edit, Refuse
from domain.deliveries import WebhookDispatcher
from domain.errors import ValidationFailed, Violation
from domain.ports import Store
from domain.stored_entity import Serializer
from domain.use_cases.write import Answer, Terms, carry_out
from domain.webhook import WEBHOOK


async def subscribe(
    command: Command, terms: Terms, *, store: Store, serializer: Serializer, dispatcher: WebhookDispatcher
) -> Answer:
    """Carry out a command on a webhook.

    An address to which nothing may be sent is refused, but only once the batch is decided, after a look at what its
    key kept. One that the webhook has already passes: it is looked at again with every connection.
    """
    reason = await _refusal(command, store, serializer, dispatcher)
    if reason is not None:
        violation = Violation(field="url", code="not_routable", reason=reason)
        command = Refuse(entity_type=WEBHOOK, error=ValidationFailed(violations=(violation,)))
    return await carry_out(store, (command,), terms, follow=await _position(command, store))


async def _refusal(command: Command, store: Store, serializer: Serializer, dispatcher: WebhookDispatcher) -> str | None:
    url = command.values.get("url") if isinstance(command, Create | Edit) else None
    if url is None or (isinstance(command, Edit) and url == await _url(command.id, store, serializer)):
        return None
    return await dispatcher.refusal(url)


async def _url(id: int, store: Store, serializer: Serializer) -> str | None:
    record = await store.get(WEBHOOK, id)
    return None if record is None else serializer.read(WEBHOOK, record.document).url


async def _position(command: Command, store: Store) -> Cursor:
    """Return how far the webhook has come; one that is new, or comes back, starts at the end of the log."""
    head = await store.head()
    positions = {} if command.id is None else await store.deliveries.positions((command.id,))
    return head if command.id is None else positions.get(command.id, head)
