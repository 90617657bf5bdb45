"""Merging what others wrote into a collection: entities that are there already are edited, or left alone."""

from datetime import datetime
from typing import Generic

from attrs import field

from domain.commands import Precondition
from domain.entity_type import E, Entity, EntityType, Values
from domain.state import State
from domain.upsert import Upsert, owner_of
from domain.value_object import value_object


@value_object(kw_only=True)
class MergeById(Generic[E]):
    """Set `values` of an entity, if it `updates`.

    The entity must be at `version`, if there is one; but an entity that would not change is left alone at any version.
    """

    entity_type: EntityType[E]
    id: int
    values: Values
    updates: bool
    version: int | None = None

    needs_deleted: bool = field(default=False, init=False)

    def decide(self, current: State, at: datetime) -> E:
        return _merged(current.living(self.entity_type, self.id), self, at)


@value_object(kw_only=True)
class MergeByValue(Upsert[E]):
    """The same for the entity that owns the value of a `unique` field; if no entity owns it, make one."""

    values: Values
    updates: bool
    version: int | None = None

    def decide(self, current: State, at: datetime) -> E:
        id = owner_of(self, current.owners)
        if id is None:
            return self.create.decide(current, at)
        return _merged(current.living(self.entity_type, id), self, at)


def _merged(entity: E, command: MergeById[E] | MergeByValue[E], at: datetime) -> E:
    if not command.updates:
        return entity
    after = entity.apply(command.values, at=at)
    if after is not entity and command.version is not None:
        Precondition(frozenset({command.version})).check(entity)
    return after


Merge = MergeById[Entity] | MergeByValue[Entity]
