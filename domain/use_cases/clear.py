"""Clear a collection: delete every entity of a type."""

from collections.abc import Awaitable, Callable

from domain.commands import Delete
from domain.decisions import MAX_COMMANDS, Outcome, Replay
from domain.entity_type import Entity, EntityType
from domain.ports import Store
from domain.queries import Condition, Operator, Order, Query
from domain.use_cases.write import Terms, carry_out


async def clear(
    store: Store, entity_type: EntityType[Entity], terms: Terms, *, turn: Callable[[], Awaitable[None]]
) -> Outcome | Replay:
    """Delete the entities that there are now, in batches, each after its `turn`; return the outcome of the last batch.

    Every deletion is in the log, like any other. A batch that another caller has come before deletes the rest of it.
    An interruption leaves the later batches undone.
    """
    assert terms.key is None, "several batches have no one outcome"
    outcome: Outcome | Replay = Outcome(results=(), request_id=terms.request_id, dry_run=terms.dry_run)
    by_id = entity_type.by_name["id"]
    newest = await store.page(Query(entity_type=entity_type, order=(Order(by_id, descending=True),), limit=1))
    if not newest.records:
        return outcome
    there = (Condition(by_id, Operator.LTE, newest.records[0].id),)  # so that it ends, however many others are created
    query = Query(entity_type=entity_type, where=there, limit=MAX_COMMANDS)
    while True:
        await turn()
        page = await store.page(query)
        if page.records:
            commands = tuple(Delete(entity_type=entity_type, id=each.id) for each in page.records)
            outcome = await carry_out(store, commands, terms, atomic=False)
        if page.next is None:
            return outcome
        query = query.behind(page.next)
