"""Steps that most tests of stores share."""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve

from domain.changes import Cursor, Entry
from domain.commands import Edit
from domain.decisions import Done, Outcome
from domain.deliveries import Delivery
from domain.entity_type import EntityType
from domain.errors import DomainError
from domain.ports import ChangeLog, Reader, Store, Writer
from domain.queries import Page, Query
from tests.builders import batch, create, recorded


async def outcome(store: Writer, *commands: Any, **facts: Any) -> Outcome:
    """Submit commands and return their outcome."""
    answer = await store.submit(batch(*commands, **facts))
    assert isinstance(answer, Outcome)
    return answer


async def carry_out(store: Writer, *commands: Any, **facts: Any) -> list[Any]:
    """Submit commands that all succeed; return the resulting entities."""
    results = (await outcome(store, *commands, **facts)).results
    assert [Done] * len(commands) == [type(result) for result in results]
    done = [result for result in results if isinstance(result, Done)]
    return [recorded(command.entity_type, result.record) for command, result in zip(commands, done, strict=True)]


async def refusal(store: Writer, command: Any, **facts: Any) -> DomainError:
    """Submit a command that is refused; return the refusal."""
    (result,) = (await outcome(store, command, **facts)).results
    assert isinstance(result, DomainError)
    return result


async def fill(store: Writer, entity_type: EntityType[Any], *raws: Mapping[str, object]) -> list[Any]:
    """Create an entity of each raw document, in one batch."""
    return await carry_out(store, *(create(entity_type, **raw) for raw in raws))


def edit(entity_type: EntityType[Any], id: int, **raw: object) -> Edit[Any]:
    """Return a command that sets fields to raw values."""
    return Edit.parse(entity_type, id, raw)


async def whole_log(store: ChangeLog, after: Cursor | None = None) -> list[Entry]:
    """Read the log to its end, by the contract's rule for the end."""
    entries: list[Entry] = []
    while True:
        page = await store.read(after, limit=7)
        if not page.entries and page.cursor == after:
            return entries
        entries += page.entries
        after = page.cursor


async def trail(store: ChangeLog, after: Cursor | None = None) -> list[tuple[str, int, int]]:
    """Return the type, the id and the version of each change in the log."""
    return [
        (each.change.type, each.change.record.id, each.change.record.version) for each in await whole_log(store, after)
    ]


async def got(store: Reader, entity_type: EntityType[Any], id: int) -> Any:
    """Return the current entity, or None."""
    record = await store.get(entity_type, id)
    return None if record is None else recorded(entity_type, record)


async def snapshot(store: Reader, entity_type: EntityType[Any], ids: Iterable[int]) -> list[Any]:
    """Return the current entities of the ids."""
    return [await got(store, entity_type, id) for id in ids]


def shown(query: Query[Any], page: Page) -> list[Any]:
    """Return the entities of a page."""
    return [recorded(query.entity_type, record) for record in page.records]


async def walk(store: Reader, query: Query[Any]) -> list[Any]:
    """Return the entities of every page, from that of `query` to the last."""
    page = await store.page(query)
    found = shown(query, page)
    while page.next is not None:
        assert query.limit == len(page.records)
        page = await store.page(evolve(query, after=page.next))
        found += shown(query, page)
    return found


async def positions_of(store: Store) -> Mapping[int, Cursor]:
    """Return the position of each webhook that a test may have."""
    return await store.deliveries.positions(range(1, 100))


async def pending(store: Store, webhook: int = 1) -> tuple[Delivery, ...]:
    """Return the pending deliveries to a webhook, oldest first."""
    progress = await store.deliveries.progress(webhook)
    return () if progress is None else progress.pending
