"""Entities as they are kept and answered: a document, written once, when the change that made it was decided.

Reading an entity never needs the entity itself, so no store makes one for it: the document is handed on as it is.
"""

from abc import abstractmethod
from typing import NamedTuple, Protocol

from domain.entity_type import E, Entity, EntityType


class StoredEntity(NamedTuple):
    """One entity at one version. The document of a version never changes.

    The one value here that is no attrs class: pages make it by the thousand, straight from rows.
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
        """Return the entity of a document. A field that did not exist when it was written has its default."""


def stored(entity: Entity, serializer: Serializer) -> StoredEntity:
    """Return an entity as it is kept."""
    return StoredEntity(entity.id, entity.version, serializer.write(entity))
