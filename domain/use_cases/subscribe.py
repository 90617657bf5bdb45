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

    A forbidden address is refused, but only after the batch is decided and its key was looked up. An address that the
    webhook already has passes, because every connection checks it again.
    """
    reason = await _refusal(command, store, serializer, dispatcher)
    if reason is not None:
        violation = Violation(field="url", code="not_routable", reason=reason)
        command = Refuse(entity_type=WEBHOOK, error=ValidationFailed(violations=(violation,)))
    return await carry_out(store, (command,), terms, follow=await _position(command, store))


async def _refusal(command: Command, store: Store, serializer: Serializer, dispatcher: WebhookDispatcher) -> str | None:
    url = command.values.get("url") if isinstance(command, Create | Edit) else None
    if not isinstance(url, str) or (isinstance(command, Edit) and url == await _url(command.id, store, serializer)):
        return None
    return await dispatcher.refusal(url)


async def _url(id: int, store: Store, serializer: Serializer) -> str | None:
    record = await store.get(WEBHOOK, id)
    return None if record is None else serializer.read(WEBHOOK, record.document).url


async def _position(command: Command, store: Store) -> Cursor:
    """Return the position of the webhook; a new or restored one starts at the end of the log."""
    head = await store.head()
    positions = {} if command.id is None else await store.deliveries.positions((command.id,))
    return head if command.id is None else positions.get(command.id, head)
