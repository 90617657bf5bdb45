"""Reading the store in memory as it was at one moment."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from attrs import frozen

from domain.changes import Entry
from domain.entity_type import Entity, EntityType
from domain.queries import Condition, Query, matches
from domain.snapshot import BATCH, SnapshotReader
from domain.stored_entity import Serializer, StoredEntity, stored

T = TypeVar("T")


@frozen(eq=False)
class MemorySnapshot(SnapshotReader):
    """All entities by ascending id, and all entries of the log. They are frozen, so references to them are enough."""

    living: Sequence[Entity]
    log: Sequence[Entry]
    documents: Serializer

    async def count(self, entity_type: EntityType[Any], where: tuple[Condition, ...] = ()) -> int:
        return sum(1 for _ in self._matching(entity_type, where))

    async def entities(
        self, entity_type: EntityType[Any], where: tuple[Condition, ...] = ()
    ) -> AsyncIterator[tuple[StoredEntity, ...]]:
        for batch in _batches(stored(each, self.documents) for each in self._matching(entity_type, where)):
            yield batch

    async def count_changes(self, entity_types: Collection[EntityType[Any]]) -> int:
        return sum(1 for _ in self._entries(entity_types))

    async def entries(self, entity_types: Collection[EntityType[Any]]) -> AsyncIterator[tuple[Entry, ...]]:
        for batch in _batches(self._entries(entity_types)):
            yield batch

    def _matching(self, entity_type: EntityType[Any], where: tuple[Condition, ...]) -> Iterator[Entity]:
        query = Query(entity_type=entity_type, where=where)
        return (each for each in self.living if each.entity_type is entity_type and matches(query, each))

    def _entries(self, entity_types: Collection[EntityType[Any]]) -> Iterator[Entry]:
        return (entry for entry in self.log if entry.change.entity_type in entity_types)


def _batches(items: Iterator[T]) -> Iterator[tuple[T, ...]]:
    while batch := tuple(islice(items, BATCH)):
        yield batch
