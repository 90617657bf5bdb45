"""The state for decisions: the named entities, and the owners of unique values."""

from collections.abc import Callable, Mapping
from itertools import count

from attrs import Factory, field

from domain.entity_type import Deleted, E, Entity, EntityType
from domain.errors import NotFound
from domain.value_object import value_object

Ref = tuple[EntityType[Entity], int]
"""The identity of an entity."""

UniqueValue = tuple[EntityType[Entity], str, object]
"""A value of a unique field, which one living entity owns at most."""

Current = Entity | Deleted[Entity] | None
"""An entity as it is now. A deleted one is looked up only if a command needs it."""


@value_object(kw_only=True)
class State:
    """The part of a store that some commands name. `new_id` gives the ids of new entities."""

    current: Mapping[Ref, Current] = Factory(dict)
    owners: Mapping[UniqueValue, int] = Factory(dict)
    new_id: Callable[[EntityType[Entity]], int] = field(eq=False)

    @classmethod
    def of(cls, *entities: Entity | Deleted[Entity], next_id: int = 1) -> "State":
        """Return the state with only these entities, in which new ones get ids from `next_id`."""
        current = {ref_of(each): each for each in entities}
        owners = {value: ref[1] for ref, each in current.items() for value in unique_values(each)}
        ids = count(next_id)
        return cls(current=current, owners=owners, new_id=lambda _: next(ids))

    def living(self, entity_type: EntityType[E], id: int) -> E:
        """Return an existing entity. Raises `NotFound`."""
        entity = self.current.get((entity_type, id))
        if not isinstance(entity, entity_type.entity):
            raise NotFound(entity_type=entity_type.name, id=id)
        return entity

    def after(self, final: Mapping[Ref, Current]) -> "State":
        """Return the state after some entities have changed to those in `final`."""
        owners = dict(self.owners)
        for ref in final:
            for value in unique_values(self.current.get(ref)):
                owners.pop(value, None)
        for ref, entity in final.items():
            owners |= dict.fromkeys(unique_values(entity), ref[1])
        return State(current={**self.current, **final}, owners=owners, new_id=self.new_id)


def left(after: Entity | Deleted[Entity]) -> Entity:
    """Return an entity as it was left, or as it was deleted."""
    return after.entity if isinstance(after, Deleted) else after


def ref_of(after: Entity | Deleted[Entity]) -> Ref:
    """Return its identity."""
    entity = left(after)
    return entity.entity_type, entity.id


def unique_values(entity: Current) -> list[UniqueValue]:
    """Return the unique values of an entity; a deleted one owns none."""
    if not isinstance(entity, Entity) or not entity.entity_type.unique:
        return []
    values = ((field.name, getattr(entity, field.name)) for field in entity.entity_type.unique)
    return [(entity.entity_type, name, value) for name, value in values if value is not None]
