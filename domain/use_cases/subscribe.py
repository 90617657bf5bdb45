"""Subscribe to changes: make, edit and restore webhooks, and ask for messages to them."""

from collections.abc import Mapping

from attrs import frozen

from domain.changes import Cursor
from domain.commands import ANY_VERSION, NOBODY, Command, Create, Delete, Edit, Precondition, Refuse, Restore
from domain.deliveries import Delivery, WebhookDispatcher
from domain.errors import BadCursor, NotFound, ValidationFailed, Violation
from domain.ports import Store
from domain.stored_entity import Serializer
from domain.use_cases.read import read_one
from domain.use_cases.write import Answer, Terms, carry_out
from domain.webhook import WEBHOOK, RequireExists, Rotate


@frozen(kw_only=True, eq=False)
class Subscribe:
    """What the owners of webhooks do. An address to which nothing may be sent is refused."""

    store: Store
    serializer: Serializer
    dispatcher: WebhookDispatcher

    async def create(self, raw: Mapping[str, object], terms: Terms) -> Answer:
        """Make a webhook, which is sent what is written from now on."""
        command = Create.parse(WEBHOOK, raw)
        return await self._carry_out(await self._vetted(command, command.values["url"]), terms)

    async def edit(
        self, id: int, raw: Mapping[str, object], terms: Terms, *, precondition: Precondition = ANY_VERSION
    ) -> Answer:
        """Set some fields of a webhook. The address that it has already is vetted again with every connection."""
        command = Edit.parse(WEBHOOK, id, raw, precondition)
        url = command.values.get("url")
        if url is None or url == await self._url(id):
            return await self._carry_out(command, terms)
        return await self._carry_out(await self._vetted(command, url), terms)

    async def delete(self, id: int, terms: Terms, *, precondition: Precondition = ANY_VERSION) -> Answer:
        """Remove a webhook, with its deliveries."""
        return await self._carry_out(Delete(entity_type=WEBHOOK, id=id, precondition=precondition), terms)

    async def restore(self, id: int, terms: Terms, *, precondition: Precondition = ANY_VERSION) -> Answer:
        """Bring a webhook back, which is sent what is written from now on."""
        return await self._carry_out(Restore(entity_type=WEBHOOK, id=id, precondition=precondition), terms)

    async def rotate(self, id: int, terms: Terms, *, precondition: Precondition = ANY_VERSION) -> Answer:
        """Put the next secret of a webhook in force."""
        return await self._carry_out(Rotate(id=id, precondition=precondition), terms)

    async def send_test(self, id: int, terms: Terms) -> Answer:
        """Queue a message that only tells a webhook that it can be reached."""
        return await self._queue(id, self.dispatcher.test(id), terms)

    async def send_again(self, id: int, delivery_id: str, terms: Terms) -> Answer:
        """Queue a message to a webhook once more."""
        known = await self.store.deliveries.delivery(id, delivery_id)
        return await self._queue(id, None if known is None else self.dispatcher.again(known), terms)

    async def deliveries(self, id: int, *, before: str | None, limit: int) -> tuple[Delivery, ...]:
        """Return what a webhook was sent or will be, newest first. Raises `NotFound` and `BadCursor`."""
        await read_one(self.store, WEBHOOK, id)
        if before is not None and await self.store.deliveries.delivery(id, before) is None:
            raise BadCursor
        return await self.store.deliveries.history(id, before=before, limit=limit)

    async def _carry_out(self, command: Command, terms: Terms) -> Answer:
        return await carry_out(self.store, (command,), terms, follow=await self._position(command.id))

    async def _position(self, id: int | None) -> Cursor:
        """Return how far a webhook has come; one that is new, or comes back, starts at the end of the log."""
        head = await self.store.head()
        return head if id is None else (await self.store.deliveries.positions((id,))).get(id, head)

    async def _url(self, id: int) -> str | None:
        record = await self.store.get(WEBHOOK, id)
        return None if record is None else self.serializer.read(WEBHOOK, record.document).url

    async def _vetted(self, command: Command, url: str) -> Command:
        """Return a command, or the refusal of its address: refused by the store, after a look at what its key kept."""
        reason = await self.dispatcher.refusal(url)
        if reason is None:
            return command
        violation = Violation(field="url", code="not_routable", reason=reason)
        return Refuse(entity_type=WEBHOOK, error=ValidationFailed(violations=(violation,)))

    async def _queue(self, id: int, delivery: Delivery | None, terms: Terms) -> Answer:
        exists = RequireExists(id=id)
        if delivery is None:
            unknown = Refuse(entity_type=WEBHOOK, error=NotFound(entity_type="delivery", id=NOBODY))
            return await carry_out(self.store, (exists, unknown), terms)
        return await carry_out(self.store, (exists,), terms, deliveries=(delivery,))
