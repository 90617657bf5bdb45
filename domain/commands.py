"""The commands of callers. A command is a value; its decision is a pure function of the state and the time."""

from abc import abstractmethod
from collections.abc import Mapping, Set
from datetime import datetime
from typing import ClassVar, Generic, NoReturn, Protocol

from attrs import Factory, field

from domain.entity_type import Deleted, E, Entity, EntityType
from domain.errors import DomainError, NotDeleted, NotFound, PreconditionFailed, ValidationFailed, Violation
from domain.field_types import ValidationError
from domain.parsing import from_json, json_value, parse
from domain.state import State
from domain.value_object import value_object

NOBODY = 0
"""An id that no entity has."""


class Command(Protocol):
    """One thing to do to one entity.

    `id` names the entity, and is None for one that does not exist yet. `needs_deleted` tells that the command works on
    a deleted entity, which the store must then look up in its log.
    """

    @property
    def entity_type(self) -> EntityType[Entity]: ...
    @property
    def id(self) -> int | None: ...
    @property
    def needs_deleted(self) -> bool: ...

    @abstractmethod
    def decide(self, current: State, at: datetime) -> Entity | Deleted[Entity]:
        """Return the entity after the command: edited, deleted, or the same object if nothing changes.

        The command finds its entity in the state. Raises `DomainError`.
        """


@value_object
class Precondition:
    """The versions that the caller accepts, and its tags that are no versions. Without any, all versions pass."""

    versions: Set[int] = frozenset()
    unknown: tuple[str, ...] = ()

    def check(self, entity: Entity) -> None:
        """Raise `PreconditionFailed` unless `entity` is at one of the versions."""
        if (self.versions or self.unknown) and entity.version not in self.versions:
            raise PreconditionFailed(
                current=entity,
                expected=max(self.versions, default=None),
                unknown=self.unknown,
            )


ANY_VERSION = Precondition()


@value_object(kw_only=True)
class Create(Generic[E]):
    """Make an entity. Raises `ValidationFailed` for invalid values."""

    entity_type: EntityType[E]
    values: Mapping[str, object]

    id: ClassVar[None] = None
    needs_deleted: ClassVar[bool] = False

    def __attrs_post_init__(self) -> None:
        checked = self.entity_type.check(self.values, whole=True)
        if checked is not self.values:
            object.__setattr__(self, "values", checked)

    @classmethod
    def parse(cls, entity_type: EntityType[E], raw: Mapping[str, object]) -> "Create[E]":
        """Read the values from a JSON object. Raises `ValidationFailed`."""
        return cls(entity_type=entity_type, values=parse(entity_type, raw, whole=True))

    def decide(self, current: State, at: datetime) -> E:
        return self.entity_type.entity.of(self.values, id=current.new_id(self.entity_type), at=at)


@value_object(kw_only=True)
class Edit(Generic[E]):
    """Set some fields; the others stay as they are. Raises `ValidationFailed` for invalid values."""

    entity_type: EntityType[E]
    id: int
    values: Mapping[str, object]
    read_only_values: Mapping[str, object] = Factory(dict)  # in JSON, as the caller sent them
    precondition: Precondition = ANY_VERSION

    needs_deleted: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "values", self.entity_type.check(self.values, whole=False))

    @classmethod
    def parse(
        cls, entity_type: EntityType[E], id: int, raw: Mapping[str, object], precondition: Precondition = ANY_VERSION
    ) -> "Edit[E]":
        """Read the values from a JSON object in which every field is optional. Raises `ValidationFailed`.

        Unchanged read-only fields are accepted, so a client can read an entity, edit it and send it back.
        """
        read_only = {name: each for name, each in raw.items() if name in entity_type.read_only_names}
        writable = {name: each for name, each in raw.items() if name not in read_only} if read_only else raw
        values = parse(entity_type, writable, whole=False)
        return cls(entity_type=entity_type, id=id, values=values, read_only_values=read_only, precondition=precondition)

    def decide(self, current: State, at: datetime) -> E:
        entity = current.living(self.entity_type, self.id)
        self.precondition.check(entity)
        if self.read_only_values:
            self._check_read_only_values(entity)
        return entity.apply(self.values, at=at)

    def _check_read_only_values(self, entity: E) -> None:
        """Refuse changed read-only fields. Another version means another writer's edit, so that error comes first."""
        wrong = [name for name, raw in self.read_only_values.items() if not self._same(entity, name, raw)]
        violations = [
            self._version_violation(entity)
            if name == "version"
            else Violation(field=name, code="read_only", reason="is read-only")
            for name in wrong
        ]
        if violations:
            raise ValidationFailed(violations=tuple(violations))

    def _same(self, entity: E, name: str, raw: object) -> bool:
        value = getattr(entity, name)
        if raw is None or value is None:
            return raw is value
        try:
            return bool(self.entity_type.by_name[name].check(raw, from_json) == value)
        except ValidationError:
            return False

    def _version_violation(self, entity: E) -> Violation:
        """Return the violation of a value that is no version. Raises `PreconditionFailed` for another version."""
        field = self.entity_type.by_name["version"]
        try:
            expected = json_value(field.field_type, self.read_only_values["version"])
        except ValidationError as refused:
            return field.violation(refused)
        raise PreconditionFailed(current=entity, expected=expected)


@value_object(kw_only=True)
class Delete(Generic[E]):
    """Remove an entity; its id is never given again."""

    entity_type: EntityType[E]
    id: int
    precondition: Precondition = ANY_VERSION

    needs_deleted: bool = field(default=False, init=False)

    def decide(self, current: State, at: datetime) -> Deleted[E]:
        entity = current.living(self.entity_type, self.id)
        self.precondition.check(entity)
        return entity.delete(at=at)


@value_object(kw_only=True)
class Restore:
    """Bring a deleted entity back under its id, with the next version."""

    entity_type: EntityType[Entity]
    id: int
    precondition: Precondition = ANY_VERSION

    needs_deleted: bool = field(default=True, init=False)

    def decide(self, current: State, at: datetime) -> Entity:
        deleted = current.current.get((self.entity_type, self.id))
        if deleted is None:
            raise NotFound(entity_type=self.entity_type.name, id=self.id)
        if not isinstance(deleted, Deleted):
            raise NotDeleted(entity_type=self.entity_type.name, id=self.id)
        self.precondition.check(deleted.entity)
        return deleted.restore(at=at)


@value_object(kw_only=True)
class Refuse:
    """A command that could not be parsed. It keeps its position among others, and is refused in its turn."""

    entity_type: EntityType[Entity]
    error: DomainError

    id: int = field(default=NOBODY, init=False)
    needs_deleted: bool = field(default=False, init=False)

    def decide(self, current: State, at: datetime) -> NoReturn:
        raise self.error
