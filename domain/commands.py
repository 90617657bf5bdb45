"""What a caller can ask for. A command is a value; deciding it is a pure function of the state and the time."""

from abc import abstractmethod
from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any, Generic, Protocol

from attrs import Factory, evolve, field, frozen

from domain.entity_type import E, EntityType
from domain.errors import DomainError, NotDeleted, NotFound, PreconditionFailed, ValidationFailed, Violation
from domain.field_types import ValidationError

NOBODY = 0
"""An id that no entity has."""


@frozen
class Deleted(Generic[E]):
    """An entity that is gone, as it was deleted: with the version of its deletion."""

    entity: E


class Command(Protocol):
    """One thing to do to one entity.

    `id` names the entity, and is None for one that does not exist yet. `revives` tells that the command works on a
    deleted entity, which the store must then look up in its log.
    """

    @property
    def entity_type(self) -> EntityType[Any]: ...
    @property
    def id(self) -> int | None: ...
    @property
    def needs_deleted(self) -> bool: ...

    @abstractmethod
    def decide(self, current: Any, id: int, at: datetime) -> Any:
        """Return the entity as it shall be, a `Deleted` for one that shall go, or `standing` itself for no change.

        `standing` is the entity, a `Deleted` (known for certain only where `revives`), or None. Raises `DomainError`.
        """


@frozen
class Precondition:
    """The versions that the caller accepts, and what it named that is no version. Nothing: any version will do."""

    versions: Set[int] = frozenset()
    unknown: tuple[str, ...] = ()

    def check(self, entity_type: EntityType[E], entity: E) -> None:
        """Raise `PreconditionFailed` unless `entity` is at one of the versions."""
        if (self.versions or self.unknown) and entity.version not in self.versions:
            expected = max(self.versions, default=None)
            raise PreconditionFailed(entity_type=entity_type, current=entity, expected=expected, unknown=self.unknown)


ANY_VERSION = Precondition()


@frozen(kw_only=True)
class Create(Generic[E]):
    """Make an entity of checked values."""

    entity_type: EntityType[E]
    values: Mapping[str, Any]

    id: None = field(default=None, init=False)
    needs_deleted: bool = field(default=False, init=False)

    @classmethod
    def parse(cls, entity_type: EntityType[E], raw: Mapping[str, object]) -> "Create[E]":
        """Check a raw document. Raises `Invalid`: a new entity has no read-only values to send back."""
        values, read_only_values = entity_type.check(raw, whole=True)
        if read_only_values:
            raise ValidationFailed(violations=tuple(_read_only(name) for name in read_only_values))
        return cls(entity_type=entity_type, values=values)

    def decide(self, current: object, id: int, at: datetime) -> E:
        del current
        values = self.values
        derived = self.entity_type.entity.derive(values, None, at)
        return self.entity_type.entity(id=id, version=1, created_at=at, updated_at=at, **values, **derived)


@frozen(kw_only=True)
class Edit(Generic[E]):
    """Set the fields that were sent; the others stay as they are."""

    entity_type: EntityType[E]
    id: int
    values: Mapping[str, Any]
    read_only_values: Mapping[str, object] = Factory(dict)  # read-only fields that were sent along, unchecked
    precondition: Precondition = ANY_VERSION

    needs_deleted: bool = field(default=False, init=False)

    @classmethod
    def parse(
        cls, entity_type: EntityType[E], id: int, raw: Mapping[str, object], precondition: Precondition = ANY_VERSION
    ) -> "Edit[E]":
        """Check a raw document in which every field is optional. Raises `Invalid`."""
        values, read_only_values = entity_type.check(raw, whole=False)
        return cls(
            entity_type=entity_type, id=id, values=values, read_only_values=read_only_values, precondition=precondition
        )

    def decide(self, current: Any, id: int, at: datetime) -> E:
        entity: E = _alive(self.entity_type, id, current)
        self.precondition.check(self.entity_type, entity)
        if self.read_only_values:
            self._check_read_only_values(entity)
        new = {name: value for name, value in self.values.items() if getattr(entity, name) != value}
        if not new:
            return entity
        at = max(at, entity.updated_at)
        return _next(entity, at, **new, **self.entity_type.entity.derive(new, entity, at))

    def _check_read_only_values(self, entity: E) -> None:
        """Refuse read-only fields that differ; another version is another writer's edit, whatever else differs."""
        wrong = [name for name, raw in self.read_only_values.items() if not self._same(entity, name, raw)]
        violations = [self._version_violation(entity) if name == "version" else _read_only(name) for name in wrong]
        if violations:
            raise ValidationFailed(violations=tuple(violations))

    def _same(self, entity: E, name: str, raw: object) -> bool:
        value = getattr(entity, name)
        if raw is None or value is None:
            return raw is value
        try:
            return bool(self.entity_type.by_name[name].field_type.check(raw) == value)
        except ValidationError:
            return False

    def _version_violation(self, entity: E) -> Violation:
        """Return the breach of what is no version at all. Raises `PreconditionFailed` for another version."""
        try:
            expected = self.entity_type.by_name["version"].field_type.check(self.read_only_values["version"])
        except ValidationError as refused:
            return Violation(field="version", code=refused.code, reason=refused.reason)
        raise PreconditionFailed(entity_type=self.entity_type, current=entity, expected=expected)


@frozen(kw_only=True)
class Delete(Generic[E]):
    """Remove an entity; its id is never given again."""

    entity_type: EntityType[E]
    id: int
    precondition: Precondition = ANY_VERSION

    needs_deleted: bool = field(default=False, init=False)

    def decide(self, current: Any, id: int, at: datetime) -> Deleted[E]:
        entity: E = _alive(self.entity_type, id, current)
        self.precondition.check(self.entity_type, entity)
        return Deleted(_next(entity, at))


@frozen(kw_only=True)
class Restore(Generic[E]):
    """Bring a deleted entity back under its id, with the next version."""

    entity_type: EntityType[E]
    id: int
    precondition: Precondition = ANY_VERSION

    needs_deleted: bool = field(default=True, init=False)

    def decide(self, current: Any, id: int, at: datetime) -> E:
        if current is None:
            raise NotFound(entity_type=self.entity_type.name, id=id)
        if not isinstance(current, Deleted):
            raise NotDeleted(entity_type=self.entity_type.name, id=id)
        entity: E = current.entity
        self.precondition.check(self.entity_type, entity)
        return _next(entity, at)


@frozen(kw_only=True)
class Refuse:
    """A command that could not even be understood; it takes its place among others, and is refused in its turn."""

    entity_type: EntityType[Any]
    error: DomainError

    id: int = field(default=NOBODY, init=False)
    needs_deleted: bool = field(default=False, init=False)

    def decide(self, current: Any, id: int, at: datetime) -> Any:
        raise self.error


def _alive(entity_type: EntityType[E], id: int, current: Any) -> E:
    if current is None or isinstance(current, Deleted):
        raise NotFound(entity_type=entity_type.name, id=id)
    entity: E = current
    return entity


def _next(entity: E, at: datetime, **fields: Any) -> E:
    """Return the next version; time never runs backwards for an entity, even where clocks differ."""
    return evolve(entity, version=entity.version + 1, updated_at=max(at, entity.updated_at), **fields)


def _read_only(name: str) -> Violation:
    return Violation(field=name, code="read_only", reason="is read-only")
