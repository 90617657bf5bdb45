"""What callers do with the ports beyond submitting commands and asking for pages, which the ports answer themselves."""

from typing import Any

from domain.changes import Entry
from domain.errors import NotFound
from domain.kinds import Kind
from domain.ports import ChangeLog, Reader
from domain.records import Record


async def find(reader: Reader, kind: Kind[Any], id: int) -> Record:
    """Return the record of an entity that must be there. Raises `NotFound`."""
    record = await reader.get(kind, id)
    if record is None:
        raise NotFound(kind=kind.name, id=id)
    return record


async def history(
    reader: Reader, log: ChangeLog, kind: Kind[Any], id: int, *, after: int, limit: int
) -> tuple[Entry, ...]:
    """Return the kept changes of an entity, deleted or not. Raises `NotFound` if neither it nor any change is there."""
    entries = await log.history(kind, id, after=after, limit=limit)
    if not entries and after == 0:
        await find(reader, kind, id)
    return entries
