"""Stored entities. The document is written once, when the change is decided, and every answer uses it.

A read never needs the entity itself, so stores hand on the document as it is.
"""

from abc import abstractmethod
from typing import NamedTuple, Protocol

from domain.entity_type import E, Entity, EntityType


class StoredEntity(NamedTuple):
    """One entity at one version. The document of a version never changes.

    It is no attrs class, because pages make it by the thousand, straight from rows.
    """

    id: int
    version: int
    document: str


class Serializer(Protocol):
    """Writes entities as documents, and reads them back."""

    @abstractmethod
    def write(self, entity: Entity) -> str:
        """Return the document of an entity. Equal entities have equal documents."""

    @abstractmethod
    def read(self, entity_type: EntityType[E], document: str) -> E:
        """Return the entity of a document. A field that is newer than the document has its default."""


def stored(entity: Entity, serializer: Serializer) -> StoredEntity:
    """Return an entity in its stored form."""
    return StoredEntity(entity.id, entity.version, serializer.write(entity))
