"""Entities and entity types. A type declares its fields with their types, in the order of display."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeVar

import attrs
from attrs import frozen

from domain.errors import ValidationFailed, Violation, Violations
from domain.field_types import FieldType, Integer, String, Timestamp, ValidationError
from domain.suggestions import unknown_field

_SPEC = "backroom"
MAX_ID = 2**63 - 1
MAX_SUGGESTED = 20

Parse = Callable[[FieldType, object], object]
"""Makes a field type's value from another form, such as JSON. Raises `ValidationError`."""


Check = Callable[[object, Parse | None], Any]
"""Returns a value of a field in its stored form, read by `parse`. Raises `ValidationError`."""

MAX_KNOWN = 10_000
"""How many texts of a field are remembered with their values."""

MAX_REMEMBERED = 64
"""Characters of a text that is remembered."""


@frozen(kw_only=True)
class Field:
    """One field of an entity type."""

    name: str
    field_type: FieldType
    required: bool = False  # None stands for no value of it
    default: object = None
    nullable: bool = False  # None is one of its values
    read_only: bool = False
    listed: bool = True  # can be filtered and sorted by
    searched: bool = False  # `q` searches it
    unique: bool = False  # no two living entities share a value other than None
    meaning: str = ""  # what its type does not tell, for people

    def check(self, value: object, parse: Parse | None = None) -> Any:
        """Return a value in its stored form; None stands for the default. Raises `ValidationError`."""
        if value is not None:
            try:
                return self.field_type.check(value if parse is None else parse(self.field_type, value))
            except ValidationError as refused:
                if refused.code != "blank" or not self.required:
                    raise
        if self.required:
            raise ValidationError("required", "is required")
        return self.default

    def remembering(self) -> "Check":
        """Return `check` for very many values, always with the same `parse`: the same short texts come again and again.

        Texts of strings do not, so those are checked each time.
        """
        if isinstance(self.field_type, String):
            return self.check
        known: dict[object, Any] = {}

        def check(value: object, parse: Parse | None = None) -> Any:
            if type(value) is not str or len(value) > MAX_REMEMBERED:
                return self.check(value, parse)
            if value not in known:
                if len(known) >= MAX_KNOWN:
                    known.clear()
                known[value] = self.check(value, parse)
            return known[value]

        return check

    def violation(self, refused: ValidationError) -> Violation:
        """Return why a value of this field is refused."""
        return Violation(field=self.name, code=refused.code, reason=refused.reason)


def writable(field_type: FieldType, **facts: object) -> Any:
    """Declare a field that clients may set. Without a `default` it is required."""
    facts["nullable"] = "default" in facts and facts["default"] is None
    return _declared(field_type, facts)


def read_only(field_type: FieldType, **facts: object) -> Any:
    """Declare a field that only the service sets; with a `default` of None it can be empty."""
    facts["nullable"] = "default" in facts
    return _declared(field_type, {"read_only": True, **facts})


def _declared(field_type: FieldType, facts: dict[str, object]) -> Any:
    metadata = {_SPEC: {"field_type": field_type, "required": "default" not in facts, **facts}}
    return attrs.field(default=facts.get("default", attrs.NOTHING), metadata=metadata)


class Values(dict[str, Any]):
    """Valid values of writable fields of one entity type. Only `EntityType.check` makes them.

    They are never checked again. With `whole`, every required field is there.
    """

    __slots__ = ("entity_type", "whole")

    def __init__(self, entity_type: "EntityType[Entity]", *, whole: bool) -> None:
        self.entity_type = entity_type
        self.whole = whole


@frozen(kw_only=True, slots=False)
class Entity:
    """The fields of every entity. An entity that breaks a rule cannot be made. Two are equal when all fields are.

    The times of an entity never run backwards, even if the clocks of its writers differ. Its values are its `vars`, in
    any order, and so without slots: they are taken and given all at once, which is what a write mostly does with them.
    """

    entity_type: ClassVar["EntityType[Entity]"]

    id: int = read_only(Integer(1, MAX_ID))
    version: int = read_only(Integer(1, MAX_ID))
    created_at: datetime = read_only(Timestamp())
    updated_at: datetime = read_only(Timestamp())

    def __attrs_post_init__(self) -> None:
        """Bring every value into its stored form. Raises `ValidationFailed` with every violation."""
        violations: list[Violation] = []
        for field in self.entity_type.fields:
            try:
                object.__setattr__(self, field.name, field.check(getattr(self, field.name)))
            except ValidationError as refused:
                violations.append(field.violation(refused))
        violations = violations or list(self.contradictions())
        if violations:
            raise ValidationFailed(violations=tuple(violations))

    def violations(self) -> list[Violation]:
        """Return the rules that this entity breaks. Only one that was `trusted` can break any."""
        found: list[Violation] = []
        for field in self.entity_type.fields:
            value = getattr(self, field.name)
            try:
                if field.check(value) != value:
                    found.append(Violation(field=field.name, code="unclean", reason="is not in its stored form"))
            except ValidationError as refused:
                found.append(field.violation(refused))
        return found or list(self.contradictions())

    @classmethod
    def trusted(cls, values: Mapping[str, object]) -> Self:
        """Return an entity from all its values, which were checked before, such as a stored row. Checks nothing."""
        entity = cls.__new__(cls)
        vars(entity).update(values)
        return entity

    @classmethod
    def create(cls, *, id: int, at: datetime, **values: object) -> Self:
        """Return a first version with these values. Raises `ValidationFailed`."""
        return cls.of(values, id=id, at=at)

    @classmethod
    def of(cls, values: Mapping[str, object], *, id: int, at: datetime) -> Self:
        """Do the same as `create`, with the values in one mapping."""
        values = cls.entity_type.check(values, whole=True)
        identity = {"id": id, "version": 1, "created_at": at, "updated_at": at}
        return cls.trusted({**cls.entity_type.defaults, **values, **identity, **cls.derive(values, None, at)})

    def edit(self, *, at: datetime, **changes: object) -> Self:
        """Return the next version, with some writable fields changed; the same entity if none differs.

        Raises `ValidationFailed`.
        """
        return self.apply(changes, at=at)

    def apply(self, changes: Mapping[str, object], *, at: datetime) -> Self:
        """Do the same as `edit`, with the changes in one mapping."""
        checked = self.entity_type.check(changes, whole=False)
        now = vars(self)
        new = {name: value for name, value in checked.items() if now[name] != value}
        if not new:
            return self
        at = max(at, self.updated_at)
        return self._next(at, {**new, **self.derive(new, self, at)})

    def delete(self, *, at: datetime) -> "Deleted[Self]":
        """Return the deleted entity, with the version of its deletion."""
        return Deleted(self._next(at, {}))

    @classmethod
    def derive(cls, values: Mapping[str, object], before: Self | None, at: datetime) -> Mapping[str, object]:
        """Return the read-only fields that follow from `values`, from the entity `before` (or None) and the time."""
        del values, before, at
        return {}

    def contradictions(self) -> Iterator[Violation]:
        """Yield the violations of rules that span several fields."""
        if self.updated_at < self.created_at:
            yield Violation(field="updated_at", code="contradiction", reason="must not be before created_at")

    def _next(self, at: datetime, changes: Mapping[str, object]) -> Self:
        identity = {"version": self.version + 1, "updated_at": max(at, self.updated_at)}
        return self.trusted({**vars(self), **changes, **identity})


E = TypeVar("E", bound=Entity)
E_co = TypeVar("E_co", bound=Entity, covariant=True)
"""Of what only hands entities out, so that an `EntityType[Task]` is an `EntityType[Entity]`."""


@frozen
class Deleted(Generic[E_co]):
    """A deleted entity, with the version of its deletion."""

    entity: E_co

    def restore(self, *, at: datetime) -> E_co:
        """Return the restored entity, with its id and the next version."""
        return self.entity._next(at, {})  # noqa: SLF001 - the other half of `delete`


class EntityType(Generic[E_co]):
    """An entity type: its names, its class and its fields. Two types are never equal; compare by identity."""

    def __init__(
        self,
        entity: type[E_co],
        *,
        name: str,
        collection: str,
        keyed: bool = False,
        stocked: bool = False,
        subscribes: bool = False,
        meaning: str = "",
        example: Mapping[str, object] | None = None,
        example_edit: Mapping[str, object] | None = None,
    ) -> None:
        """Declare a type.

        The collection of a `keyed` type is shown by id. Entities of a `stocked` type have a stock that can be adjusted.
        Entities of a type that `subscribes` get the changes of others: they have a log position and deliveries.
        `meaning` says what they are, for people.
        `example` has values, as in JSON, from which the documentation makes an entity; `example_edit` edits it.
        """
        self.entity = entity
        self.name = name
        self.collection = collection
        self.keyed = keyed
        self.stocked = stocked
        self.subscribes = subscribes
        self.meaning = meaning
        self.example = example or {}
        self.example_edit = example_edit or {}
        self.fields = tuple(Field(name=each.name, **each.metadata[_SPEC]) for each in attrs.fields(entity))
        self.by_name = {each.name: each for each in self.fields}
        self.writable = tuple(each for each in self.fields if not each.read_only)
        self.writable_names = tuple(each.name for each in self.writable)
        self.read_only_names = frozenset(each.name for each in self.fields if each.read_only)
        self.change_types = tuple(f"{name}.{action}" for action in ("created", "updated", "deleted", "restored"))
        self.required = tuple(each for each in self.writable if each.required)
        self.required_names = frozenset(each.name for each in self.required)
        self._checks: dict[str, Check] = {each.name: each.check for each in self.writable}
        self.searched = tuple(each for each in self.fields if each.searched)
        self.unique = tuple(each for each in self.fields if each.unique)
        self.defaults = {each.name: each.default for each in self.fields if not each.required}
        if "__slots__" in vars(entity):
            raise TypeError(f"{entity.__name__} needs slots=False: its values are its `vars`")
        entity.entity_type = self

    def __repr__(self) -> str:
        return f"<EntityType {self.name}>"

    def check(
        self,
        raw: Mapping[str, object],
        *,
        whole: bool,
        parse: Parse | None = None,
        checks: Mapping[str, Check] | None = None,
    ) -> Values:
        """Return the values of writable fields in their stored form.

        With `whole`, every required field must be there. `parse` reads values that come in another form. `checks` are
        those of the writable fields, if they remember.
        Raises `ValidationFailed` with every violation; missing fields come first.
        """
        if isinstance(raw, Values) and raw.entity_type is self and raw.whole >= whole:
            return raw
        values = Values(self, whole=whole)
        checks = checks or self._checks
        try:
            for name, each in raw.items():
                values[name] = checks[name](each, parse)
        except (KeyError, ValidationError):
            raise self._failure(raw, parse, whole=whole) from None
        if whole and not self.required_names <= raw.keys():
            raise self._failure(raw, parse, whole=whole)
        return values

    def _failure(self, raw: Mapping[str, object], parse: Parse | None, *, whole: bool) -> ValidationFailed:
        """Return everything that is wrong with some values."""
        missing = set(self.required_names - raw.keys()) if whole else set()
        violations = Violations()
        for name, each in raw.items():
            field = self.by_name.get(name)
            if field is None:
                told = len(violations.told) < MAX_SUGGESTED  # because a body can hold very many names
                reason = unknown_field(name, self.writable_names) if told else "is not a field"
                violations.add(name, "unknown_field", reason)
            elif field.read_only:
                violations.add(name, "read_only", "is read-only")
            else:
                try:
                    field.check(each, parse)
                except ValidationError as refused:
                    if refused.code == "required":
                        missing.add(name)
                    else:
                        violations.add(name, refused.code, refused.reason)
        names = (field.name for field in self.required if field.name in missing)
        return violations.failure(Violation(field=name, code="required", reason="is required") for name in names)

    def search_text(self, entity: Entity) -> str:
        """Return the text that `q` searches: the folded searched fields, with separators so that no match spans two."""
        values = vars(entity)
        return SEPARATOR.join([field.field_type.key(values[field.name] or "") for field in self.searched])


SEPARATOR = "\x1f"  # a control character, which no text of an entity can hold
