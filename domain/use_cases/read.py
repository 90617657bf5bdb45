"""Read entities: one, a page of them, or the history of one."""

from domain.changes import Entry
from domain.entity_type import Entity, EntityType
from domain.errors import NotFound
from domain.ports import ChangeLog, Reader
from domain.queries import Page, Query
from domain.stored_entity import StoredEntity


async def read_one(reader: Reader, entity_type: EntityType[Entity], id: int) -> StoredEntity:
    """Return an entity. Raises `NotFound`."""
    record = await reader.get(entity_type, id)
    if record is None:
        raise NotFound(entity_type=entity_type.name, id=id)
    return record


async def list_page(reader: Reader, query: Query[Entity]) -> Page:
    """Return a page of a collection, all of it read at one moment."""
    return await reader.page(query)


async def read_history(
    reader: Reader, log: ChangeLog, entity_type: EntityType[Entity], id: int, *, after: int, limit: int
) -> tuple[Entry, ...]:
    """Return the kept changes of an entity, deleted or not, with versions above `after`.

    Raises `NotFound` if neither the entity nor any change of it exists.
    """
    entries = await log.history(entity_type, id, after=after, limit=limit)
    if not entries and after == 0:
        await read_one(reader, entity_type, id)
    return entries
