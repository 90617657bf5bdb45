"""Write entities: create, edit, delete and restore one, adjust a stock, or do many such things at once.

Input comes as a JSON object (`parsing.py`) or as values. Invalid input raises `ValidationFailed` before any store sees
it. All functions also raise the errors of `Writer.submit`.
"""

from collections.abc import Mapping

from domain.access.access_key import Actor
from domain.changes import Cursor
from domain.commands import ANY_VERSION, Command, Create, Delete, Edit, Precondition, Restore
from domain.decisions import CommandBatch, IdempotencyKey, Outcome, Replay
from domain.deliveries import Delivery
from domain.entity_type import Entity, EntityType
from domain.ports import Writer
from domain.stock import AdjustStock
from domain.trace import TraceContext
from domain.value_object import value_object

Answer = Outcome | Replay


@value_object(kw_only=True)
class Terms:
    """The terms of a write: the caller, the trace, the idempotency key, and whether it is a dry run."""

    request_id: str
    actor: Actor | None = None
    trace: TraceContext | None = None
    key: IdempotencyKey | None = None
    dry_run: bool = False


async def create(writer: Writer, entity_type: EntityType[Entity], raw: Mapping[str, object], terms: Terms) -> Answer:
    """Make an entity."""
    return await carry_out(writer, (Create.parse(entity_type, raw),), terms)


async def edit(
    writer: Writer,
    entity_type: EntityType[Entity],
    id: int,
    raw: Mapping[str, object],
    terms: Terms,
    *,
    precondition: Precondition = ANY_VERSION,
) -> Answer:
    """Set some fields of an entity."""
    return await carry_out(writer, (Edit.parse(entity_type, id, raw, precondition),), terms)


async def delete(
    writer: Writer, entity_type: EntityType[Entity], id: int, terms: Terms, *, precondition: Precondition = ANY_VERSION
) -> Answer:
    """Remove an entity."""
    return await carry_out(writer, (Delete(entity_type=entity_type, id=id, precondition=precondition),), terms)


async def restore(
    writer: Writer, entity_type: EntityType[Entity], id: int, terms: Terms, *, precondition: Precondition = ANY_VERSION
) -> Answer:
    """Bring a deleted entity back."""
    return await carry_out(writer, (Restore(entity_type=entity_type, id=id, precondition=precondition),), terms)


async def adjust_stock(
    writer: Writer, id: int, raw: Mapping[str, object], terms: Terms, *, precondition: Precondition = ANY_VERSION
) -> Answer:
    """Adjust the stock of a product."""
    return await carry_out(writer, (AdjustStock.parse(id, raw, precondition),), terms)


async def carry_out(
    writer: Writer,
    commands: tuple[Command, ...],
    terms: Terms,
    *,
    atomic: bool = True,
    deliveries: tuple[Delivery, ...] = (),
    follow: Cursor | None = None,
) -> Answer:
    """Carry out many commands in one transaction; see `CommandBatch`."""
    batch = CommandBatch(
        commands=commands,
        request_id=terms.request_id,
        atomic=atomic,
        dry_run=terms.dry_run,
        key=terms.key,
        deliveries=deliveries,
        follow=follow,
        actor=terms.actor,
        trace=terms.trace,
    )
    return await writer.submit(batch)
