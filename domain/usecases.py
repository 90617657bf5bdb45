"""What callers do with the ports beyond submitting commands and asking for pages, which the ports answer themselves."""

from typing import Any

from domain.changes import Entry
from domain.entity_type import EntityType
from domain.errors import NotFound
from domain.ports import ChangeLog, Reader
from domain.stored_entity import StoredEntity


async def find(reader: Reader, entity_type: EntityType[Any], id: int) -> StoredEntity:
    """Return the record of an entity that must be there. Raises `NotFound`."""
    record = await reader.get(entity_type, id)
    if record is None:
        raise NotFound(entity_type=entity_type.name, id=id)
    return record


async def history(
    reader: Reader, log: ChangeLog, entity_type: EntityType[Any], id: int, *, after: int, limit: int
) -> tuple[Entry, ...]:
    """Return the kept changes of an entity, deleted or not. Raises `NotFound` if neither it nor any change is there."""
    entries = await log.history(entity_type, id, after=after, limit=limit)
    if not entries and after == 0:
        await find(reader, entity_type, id)
    return entries
