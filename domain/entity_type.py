"""What an entity declares about itself: its fields with their rules, in the order in which they are shown."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs
from attrs import frozen

from domain.errors import ValidationFailed, Violation
from domain.field_types import FieldType, Integer, Timestamp, ValidationError
from domain.suggestions import unknown_field

_SPEC = "backroom"
MAX_ID = 2**63 - 1
MAX_SUGGESTED = 20


@frozen(kw_only=True)
class Field:
    """One field of a kind of entity."""

    name: str
    field_type: FieldType
    required: bool = False
    default: Any = None
    nullable: bool = False  # None is one of its values
    read_only: bool = False
    listed: bool = True  # can be filtered and sorted by
    searched: bool = False  # part of what `q` looks through
    unique: bool = False  # no two living entities share a value other than None

    def check(self, raw: object) -> Any:
        """Return the value for `raw`; None stands for the default. Raises `Refused`."""
        if raw is not None:
            try:
                return self.field_type.check(raw)
            except ValidationError as refused:
                if refused.code != "blank" or not self.required:
                    raise
        if self.required:
            raise ValidationError("required", "is required")
        return self.default


def writable(field_type: FieldType, **facts: Any) -> Any:
    """Declare a field that clients may set; without a `default` it is required."""
    required = "default" not in facts
    facts["nullable"] = not required and facts["default"] is None
    default = attrs.NOTHING if required else facts["default"]
    return attrs.field(default=default, metadata={_SPEC: {"field_type": field_type, "required": required, **facts}})


def read_only(field_type: FieldType, **facts: Any) -> Any:
    """Declare a field that only the service sets; with a `default` of None it can be empty."""
    facts["nullable"] = "default" in facts
    metadata = {_SPEC: {"field_type": field_type, "read_only": True, **facts}}
    return attrs.field(default=None if facts["nullable"] else attrs.NOTHING, metadata=metadata)


@frozen(kw_only=True)
class Entity:
    """What every entity has. Two entities are equal when every field is."""

    id: int = read_only(Integer(1, MAX_ID))
    version: int = read_only(Integer(1, MAX_ID))
    created_at: datetime = read_only(Timestamp())
    updated_at: datetime = read_only(Timestamp())

    @classmethod
    def derive(cls, values: Mapping[str, Any], before: Any, at: datetime) -> Mapping[str, Any]:
        """Return the read-only fields that follow from `values`, from the entity `before` (or None) and the time."""
        del values, before, at
        return {}


E = TypeVar("E", bound=Entity)


class EntityType(Generic[E]):
    """A kind of entity: its names, its class and its fields. Two kinds are never equal; compare by identity."""

    def __init__(self, entity: type[E], *, name: str, collection: str) -> None:
        self.entity = entity
        self.name = name
        self.collection = collection
        self.fields = tuple(Field(name=each.name, **each.metadata[_SPEC]) for each in attrs.fields(entity))
        self.by_name = {each.name: each for each in self.fields}
        self.writable = tuple(each for each in self.fields if not each.read_only)
        self.writable_names = tuple(each.name for each in self.writable)
        self.change_types = tuple(f"{name}.{action}" for action in ("created", "updated", "deleted", "restored"))
        self.required = tuple(each for each in self.writable if each.required)
        self.searched = tuple(each for each in self.fields if each.searched)
        self.unique = tuple(each for each in self.fields if each.unique)
        self.derives = entity.derive.__func__ is not Entity.derive.__func__  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<Kind {self.name}>"

    def check(self, raw: Mapping[str, object], *, whole: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """Split a raw document into the values of writable fields and the read-only values that came along.

        With `whole`, every required field must be there. Raises `Invalid` with every breach at once.
        """
        values: dict[str, Any] = {}
        read_only_values: dict[str, Any] = {}
        missing = {field.name for field in self.required if whole and field.name not in raw}
        violations: list[Violation] = []
        for name, each in raw.items():
            field = self.by_name.get(name)
            if field is None:
                told = len(violations) < MAX_SUGGESTED  # for all the names that a body can hold it would take long
                reason = unknown_field(name, self.writable_names) if told else "is not a field"
                violations.append(Violation(field=name, code="unknown_field", reason=reason))
            elif field.read_only:
                read_only_values[name] = each
            else:
                try:
                    values[name] = field.check(each)
                except ValidationError as refused:
                    if refused.code == "required":
                        missing.add(name)
                    else:
                        violations.append(Violation(field=name, code=refused.code, reason=refused.reason))
        if missing or violations:
            names = (field.name for field in self.required if field.name in missing)
            raise ValidationFailed(
                violations=(
                    *(Violation(field=name, code="required", reason="is required") for name in names),
                    *violations,
                )
            )
        return values, read_only_values

    def search_text(self, entity: E) -> str:
        """Return what `q` looks through: the folded searched fields, kept apart so that no match spans two."""
        return SEPARATOR.join(field.field_type.key(getattr(entity, field.name) or "") for field in self.searched)


SEPARATOR = "\x1f"  # a control character, which no text of an entity can hold
