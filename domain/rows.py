"""Rows that others wrote: each becomes a command, or is refused with everything that is wrong with it.

This knows neither files nor protocols. A row has the values of fields, as plain text or as JSON holds them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from attrs import field, frozen

from domain.commands import Command, Create, Refuse
from domain.entity_type import Check, Entity, EntityType, Parse, Values
from domain.errors import AlreadyExists, DomainError, NotFound, PreconditionFailed, ValidationFailed, Violation
from domain.field_types import ValidationError
from domain.merge import MergeById, MergeByValue

MAX_SHOWN = 60
"""Characters of a value that is told."""


class Row(NamedTuple):
    """A row on its line, from 1; `text` is as it was written. `fault` tells why it could not be read."""

    line: int
    text: str
    values: Mapping[str, object]
    fault: Violation | None = None


@frozen(kw_only=True)
class RowViolation:
    """One broken rule in a row: the line, the column (or "" for the whole line), the value, a code and the reason."""

    line: int
    column: str
    value: str
    code: str
    reason: str

    def __str__(self) -> str:
        value = repr(self.value) if self.value else ""
        return f"line {self.line}: {' '.join(filter(None, (self.column, value, self.reason)))}"


@frozen(kw_only=True)
class RowRules:
    """The way in which rows are taken.

    Without `match`, every row makes an entity. With it, the field of that name (`id`, or a unique one) tells which
    entity a row is for. That one is edited if rows `update`, and else left alone. A row without a value in that field
    makes an entity, and so does a row with a new unique value. A row with the `version` that somebody read changes
    nothing that was changed since. Other read-only values are passed over.
    """

    entity_type: EntityType[Entity]
    match: str | None = None
    update: bool = False

    @property
    def needed(self) -> tuple[str, ...]:
        """Return the fields that a table must have a column for."""
        required = () if self.update else tuple(each.name for each in self.entity_type.required)
        return required if self.match is None else tuple(dict.fromkeys((self.match, *required)))

    @property
    def asks_the_store(self) -> bool:
        """Tell whether what is in the store can be a reason to refuse a row."""
        return self.match is not None or bool(self.entity_type.unique)


@frozen
class RowParser:
    """Makes commands of rows, in their order. No two rows may be for the same entity, or share a unique value."""

    rules: RowRules
    parse: Parse  # reads a value of a row
    _seen: dict[int, int] = field(factory=dict, init=False)  # the lines of values, by the hashes of both
    _unique: tuple[str, ...] = field(init=False)
    _checks: dict[str, Check] = field(init=False)

    @_unique.default
    def _unique_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.rules.entity_type.unique)

    @_checks.default
    def _remembering(self) -> dict[str, Check]:
        return {each.name: each.remembering() for each in self.rules.entity_type.writable}

    def command(self, row: Row) -> Command:
        """Return the command of a row. Raises `ValidationFailed`."""
        if row.fault is not None:
            raise ValidationFailed(violations=(row.fault,))
        entity_type, match = self.rules.entity_type, self.rules.match
        given = row.values
        read_only = entity_type.read_only_names
        if not read_only.isdisjoint(given):
            given = {name: value for name, value in given.items() if name not in read_only}
        whole = match is None or all(each.name in given for each in entity_type.required)
        values = self._check(given, whole=whole)
        for name in self._unique:
            self._take(row.line, name, values.get(name))
        if match is None:
            return Create(entity_type=entity_type, values=values)
        id, version = (self._read_only_value(row, name) for name in ("id", "version"))
        if match == "id" and id is not None:
            self._take(row.line, "id", id)
            return MergeById(entity_type=entity_type, id=id, values=values, updates=self.rules.update, version=version)
        if values.get(match) is None:
            return self._create(values)
        return MergeByValue(
            entity_type=entity_type,
            unique=match,
            values=values,
            read_only_values={},
            create=self._create(values),
            updates=self.rules.update,
            version=version,
        )

    def _check(self, given: Mapping[str, object], *, whole: bool) -> Values:
        return self.rules.entity_type.check(given, whole=whole, parse=self.parse, checks=self._checks)

    def _create(self, values: Values) -> Create[Entity] | Refuse:
        try:
            return Create(entity_type=self.rules.entity_type, values=values)
        except ValidationFailed as error:  # which matters only if there is nothing to edit
            return Refuse(entity_type=self.rules.entity_type, error=error)

    def _read_only_value(self, row: Row, name: str) -> Any:
        raw, field = row.values.get(name), self.rules.entity_type.by_name[name]
        if raw is None:
            return None
        try:
            return field.check(raw, self.parse)
        except ValidationError as refused:
            raise ValidationFailed(violations=(field.violation(refused),)) from None

    def _take(self, line: int, name: str, value: object) -> None:
        """Refuse a value that an earlier row has. Its hash stands for it: that takes less memory."""
        if value is None:
            return
        earlier = self._seen.setdefault(hash((name, value)), line)
        if earlier != line:
            violation = Violation(field=name, code="duplicate", reason=f"is the same as in line {earlier}")
            raise ValidationFailed(violations=(violation,))


def violations_of(row: Row, error: DomainError, columns: Mapping[str, str]) -> list[RowViolation]:
    """Return everything that is wrong with a row; `columns` has the titles of the columns of fields."""
    return [
        RowViolation(
            line=row.line,
            column=columns.get(each.field, each.field),
            value=_shown(row.values.get(each.field)),
            code=each.code,
            reason=each.reason,
        )
        for each in _violations(error)
    ]


def _violations(error: DomainError) -> tuple[Violation, ...]:
    match error:
        case ValidationFailed(violations=violations):
            return violations
        case AlreadyExists(field=name, entity_type=entity_type, owner=owner):
            reason = f"already belongs to {entity_type} {owner}"
        case NotFound(entity_type=entity_type):
            name, reason = "id", f"belongs to no {entity_type}"
        case PreconditionFailed(current=current, changed=changed):
            what = f": {', '.join(changed)} changed since" if changed else ""
            name, reason = "version", f"is {current.version} by now{what}"
        case _:
            name, reason = "", error.message
    return (Violation(field=name, code=error.code, reason=reason),)


def _shown(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
