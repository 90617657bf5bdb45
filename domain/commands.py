"""What a caller can ask for. A command is a value; deciding it is a pure function of the state and the time."""

from abc import abstractmethod
from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any, Generic, Protocol

from attrs import Factory, evolve, field, frozen

from domain.errors import Breach, DomainError, Invalid, NotDeleted, NotFound, PreconditionFailed
from domain.kinds import E, Kind
from domain.rules import Refused

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
    def kind(self) -> Kind[Any]: ...
    @property
    def id(self) -> int | None: ...
    @property
    def revives(self) -> bool: ...

    @abstractmethod
    def decide(self, standing: Any, id: int, at: datetime) -> Any:
        """Return the entity as it shall be, a `Deleted` for one that shall go, or `standing` itself for no change.

        `standing` is the entity, a `Deleted` (known for certain only where `revives`), or None. Raises `DomainError`.
        """


@frozen
class Precondition:
    """The versions that the caller accepts. None of them: any version will do."""

    versions: Set[int] = frozenset()

    def check(self, kind: Kind[E], entity: E) -> None:
        """Raise `PreconditionFailed` unless `entity` is at one of the versions."""
        if self.versions and entity.version not in self.versions:
            raise PreconditionFailed(kind=kind, current=entity, expected=max(self.versions))


ANY_VERSION = Precondition()


@frozen(kw_only=True)
class Create(Generic[E]):
    """Make an entity of checked values."""

    kind: Kind[E]
    values: Mapping[str, Any]

    id: None = field(default=None, init=False)
    revives: bool = field(default=False, init=False)

    @classmethod
    def parse(cls, kind: Kind[E], raw: Mapping[str, object]) -> "Create[E]":
        """Check a raw document. Raises `Invalid`: a new entity has no read-only values to send back."""
        values, echoes = kind.check(raw, whole=True)
        if echoes:
            raise Invalid(breaches=tuple(_read_only(name) for name in echoes))
        return cls(kind=kind, values=values)

    def decide(self, standing: object, id: int, at: datetime) -> E:
        del standing
        values = self.values
        derived = self.kind.entity.derive(values, None, at)
        return self.kind.entity(id=id, version=1, created_at=at, updated_at=at, **values, **derived)


@frozen(kw_only=True)
class Edit(Generic[E]):
    """Set the fields that were sent; the others stay as they are."""

    kind: Kind[E]
    id: int
    values: Mapping[str, Any]
    echoes: Mapping[str, object] = Factory(dict)  # read-only fields that were sent along, unchecked
    precondition: Precondition = ANY_VERSION

    revives: bool = field(default=False, init=False)

    @classmethod
    def parse(
        cls, kind: Kind[E], id: int, raw: Mapping[str, object], precondition: Precondition = ANY_VERSION
    ) -> "Edit[E]":
        """Check a raw document in which every field is optional. Raises `Invalid`."""
        values, echoes = kind.check(raw, whole=False)
        return cls(kind=kind, id=id, values=values, echoes=echoes, precondition=precondition)

    def decide(self, standing: Any, id: int, at: datetime) -> E:
        entity: E = _alive(self.kind, id, standing)
        self.precondition.check(self.kind, entity)
        if self.echoes:
            self._check_echoes(entity)
        new = {name: value for name, value in self.values.items() if getattr(entity, name) != value}
        if not new:
            return entity
        at = max(at, entity.updated_at)
        return _next(entity, at, **new, **self.kind.entity.derive(new, entity, at))

    def _check_echoes(self, entity: E) -> None:
        """Refuse read-only fields that differ; another version is another writer's edit, whatever else differs."""
        wrong = [name for name, raw in self.echoes.items() if not self._same(entity, name, raw)]
        breaches = [self._version_breach(entity) if name == "version" else _read_only(name) for name in wrong]
        if breaches:
            raise Invalid(breaches=tuple(breaches))

    def _same(self, entity: E, name: str, raw: object) -> bool:
        value = getattr(entity, name)
        if raw is None or value is None:
            return raw is value
        try:
            return bool(self.kind.by_name[name].rule.check(raw) == value)
        except Refused:
            return False

    def _version_breach(self, entity: E) -> Breach:
        """Return the breach of what is no version at all. Raises `PreconditionFailed` for another version."""
        try:
            expected = self.kind.by_name["version"].rule.check(self.echoes["version"])
        except Refused as refused:
            return Breach(field="version", code=refused.code, reason=refused.reason)
        raise PreconditionFailed(kind=self.kind, current=entity, expected=expected)


@frozen(kw_only=True)
class Delete(Generic[E]):
    """Remove an entity; its id is never given again."""

    kind: Kind[E]
    id: int
    precondition: Precondition = ANY_VERSION

    revives: bool = field(default=False, init=False)

    def decide(self, standing: Any, id: int, at: datetime) -> Deleted[E]:
        entity: E = _alive(self.kind, id, standing)
        self.precondition.check(self.kind, entity)
        return Deleted(_next(entity, at))


@frozen(kw_only=True)
class Restore(Generic[E]):
    """Bring a deleted entity back under its id, with the next version."""

    kind: Kind[E]
    id: int
    precondition: Precondition = ANY_VERSION

    revives: bool = field(default=True, init=False)

    def decide(self, standing: Any, id: int, at: datetime) -> E:
        if standing is None:
            raise NotFound(kind=self.kind.name, id=id)
        if not isinstance(standing, Deleted):
            raise NotDeleted(kind=self.kind.name, id=id)
        entity: E = standing.entity
        self.precondition.check(self.kind, entity)
        return _next(entity, at)


@frozen(kw_only=True)
class Refuse:
    """A command that could not even be understood; it takes its place among others, and is refused in its turn."""

    kind: Kind[Any]
    error: DomainError

    id: int = field(default=NOBODY, init=False)
    revives: bool = field(default=False, init=False)

    def decide(self, standing: Any, id: int, at: datetime) -> Any:
        raise self.error


def _alive(kind: Kind[E], id: int, standing: Any) -> E:
    if standing is None or isinstance(standing, Deleted):
        raise NotFound(kind=kind.name, id=id)
    entity: E = standing
    return entity


def _next(entity: E, at: datetime, **fields: Any) -> E:
    """Return the next version; time never runs backwards for an entity, even where clocks differ."""
    return evolve(entity, version=entity.version + 1, updated_at=max(at, entity.updated_at), **fields)


def _read_only(name: str) -> Breach:
    return Breach(field=name, code="read_only", reason="is read-only")
