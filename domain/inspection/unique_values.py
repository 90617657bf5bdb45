"""Values that two entities share though they must not, found in two passes, because all values need much memory."""

from array import array
from collections.abc import Hashable, Iterable
from itertools import pairwise

from domain.entity_type import Entity, EntityType
from domain.inspection.findings import Finding, Kind, shown


class UniqueValues:
    """The values of the unique fields of one entity type."""

    def __init__(self, entity_type: EntityType[Entity]) -> None:
        self._entity_type = entity_type
        self._hashes = array("q")
        self._owners: dict[Hashable, int] = {}
        self._suspects: frozenset[int] = frozenset()

    def note(self, entity: Entity) -> None:
        """Take an entity in the first pass."""
        self._hashes.extend(map(hash, self._values(entity)))

    def is_suspicious(self) -> bool:
        """End the first pass, and return whether there must be a second."""
        ordered = sorted(self._hashes)
        self._hashes = array("q")
        self._suspects = frozenset(one for one, other in pairwise(ordered) if one == other)
        return bool(self._suspects)

    def compare(self, entity: Entity) -> Iterable[Finding]:
        """Take an entity in the second pass, and yield what it shares with one before."""
        for value in self._values(entity):
            if hash(value) in self._suspects:
                owner = self._owners.setdefault(value, entity.id)
                if owner != entity.id:
                    name = self._entity_type.name
                    what = f"{value[0]} is {shown(value[1])}, which {name} {owner} has, too"
                    yield Finding(Kind.UNIQUE, f"{name} {entity.id}", what)

    def _values(self, entity: Entity) -> Iterable[tuple[str, object]]:
        values = ((field.name, getattr(entity, field.name)) for field in self._entity_type.unique)
        return (each for each in values if each[1] is not None)
