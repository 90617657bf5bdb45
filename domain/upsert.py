"""Upserts, for callers who know an entity by a unique value and not by its id."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Generic

from attrs import field

from domain.commands import NOBODY, Command, Create, Edit, Refuse
from domain.entity_type import E, EntityType
from domain.errors import ValidationFailed, Violation
from domain.state import Ref, State, UniqueValue
from domain.value_object import value_object


@value_object(kw_only=True)
class Upsert(Generic[E]):
    """Set `values` of the entity that owns the value of a `unique` field, or make one if no entity owns it."""

    entity_type: EntityType[E]
    unique: str
    values: Mapping[str, object]
    read_only_values: Mapping[str, object]
    create: Create[E] | Refuse

    id: None = field(default=None, init=False)
    needs_deleted: bool = field(default=False, init=False)

    @classmethod
    def parse(cls, entity_type: EntityType[E], unique: str, raw: Mapping[str, object]) -> "Upsert[E]":
        """Check a raw document, which must have the unique value. Raises `ValidationFailed`."""
        edit = Edit.parse(entity_type, NOBODY, raw)
        if edit.values.get(unique) is None:
            raise ValidationFailed(violations=(Violation(field=unique, code="required", reason="is required"),))
        create: Create[E] | Refuse
        try:
            create = Create.parse(entity_type, raw)
        except ValidationFailed as error:  # which matters only if there is nothing to edit
            create = Refuse(entity_type=entity_type, error=error)
        return cls(
            entity_type=entity_type,
            unique=unique,
            values=edit.values,
            read_only_values=edit.read_only_values,
            create=create,
        )

    def decide(self, current: State, at: datetime) -> E:
        id = owner_of(self, current.owners)
        if id is None:
            return self.create.decide(current, at)
        edit = Edit(entity_type=self.entity_type, id=id, values=self.values, read_only_values=self.read_only_values)
        return edit.decide(current, at)


def owner_of(command: Command, owners: Mapping[UniqueValue, int]) -> int | None:
    """Return the id of the entity that an upsert edits; None if it makes one, and for any other command."""
    if not isinstance(command, Upsert):
        return None
    return owners.get((command.entity_type, command.unique, command.values[command.unique]))


def upserted(commands: Iterable[Command], owners: Mapping[UniqueValue, int]) -> set[Ref]:
    """Return the entities that upserts may edit; a store must load them, though no command names them."""
    found = ((command.entity_type, owner_of(command, owners)) for command in commands)
    return {(entity_type, id) for entity_type, id in found if id is not None}
