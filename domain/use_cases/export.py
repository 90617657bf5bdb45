"""Export the entities of some types, with their changes or without: as they are at one moment."""

from collections.abc import AsyncIterator

from attrs import frozen

from domain.changes import Entry
from domain.entity_type import Entity, EntityType
from domain.queries import Condition
from domain.snapshot import Entities, SnapshotReader
from domain.use_cases.move import Report


@frozen(kw_only=True)
class Entries:
    """Some changes, in the order of the log."""

    entries: tuple[Entry, ...]


Part = Entities | Entries


@frozen(kw_only=True)
class Selection:
    """What to export: the entities of these types that satisfy all conditions; with `history`, all changes too."""

    entity_types: tuple[EntityType[Entity], ...]
    where: tuple[Condition, ...] = ()
    history: bool = False


async def export(reader: SnapshotReader, selection: Selection, report: Report) -> AsyncIterator[Part]:
    """Yield the entities type by type, by ascending id, then the changes in the order of the log.

    `report` learns of a part when the next one is asked for. Raises `Unavailable`.
    """
    done, total = 0, await _size(reader, selection)
    report("exporting", done, total)
    async for part in _parts(reader, selection):
        yield part
        done += size(part)
        report("exporting", done, total)


def size(part: Part) -> int:
    """Return the number of entities or changes in a part."""
    return len(part.records if isinstance(part, Entities) else part.entries)


async def _parts(reader: SnapshotReader, selection: Selection) -> AsyncIterator[Part]:
    for entity_type in selection.entity_types:
        async for records in reader.entities(entity_type, selection.where):
            yield Entities(entity_type=entity_type, records=records)
    if selection.history:
        async for entries in reader.entries(selection.entity_types):
            yield Entries(entries=entries)


async def _size(reader: SnapshotReader, selection: Selection) -> int:
    size = 0
    for entity_type in selection.entity_types:
        size += await reader.count(entity_type, selection.where)
    if selection.history:
        size += await reader.count_changes(selection.entity_types)
    return size
