"""The columns of a table that others wrote: which field each of them holds."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from attrs import frozen

from domain.entity_type import Entity, EntityType
from domain.suggestions import suggestion

REJECTED = "rejected"
"""The title of the column in which an import tells why it rejected a line. A later import passes it over."""


@frozen
class BadColumns(Exception):
    """The columns of a table cannot be understood. `reasons` has everything that is wrong."""

    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return "; ".join(self.reasons)


@frozen(kw_only=True)
class Columns:
    """The titles of the columns, and the name of the field that each holds, or None if it is passed over."""

    titles: tuple[str, ...]
    fields: tuple[str | None, ...]

    @property
    def by_field(self) -> dict[str, str]:
        """Return the title of the column of each field."""
        return {field: title for title, field in zip(self.titles, self.fields, strict=True) if field is not None}


def read_columns(
    entity_type: EntityType[Entity], header: Sequence[str], renamed: Mapping[str, str], needed: Collection[str]
) -> Columns:
    """Read the header of a table; `needed` fields must have a column. Raises `BadColumns`.

    `renamed` gives titles the names of fields, or an empty name to those that are passed over. A column without a title
    is passed over; only empty cells may stand in it.
    """
    titles = tuple(title.strip() for title in header)
    unknown = [title for title in titles if title and title not in renamed and title not in entity_type.by_name]
    reasons = [_unknown(entity_type, title) for title in unknown if title != REJECTED]
    reasons += [f"there is no column {title!r} ({suggestion(title, titles)})" for title in renamed.keys() - {*titles}]
    fields = tuple(_field(entity_type, renamed, title) for title in titles)
    for field in dict.fromkeys(each for each in fields if each is not None and fields.count(each) > 1):
        several = [title for title, each in zip(titles, fields, strict=True) if each == field]
        reasons.append(f"there are {len(several)} columns for {field}: {', '.join(several)}")
    if not unknown:  # otherwise one of those is meant
        reasons += [f"there is no column for {field}" for field in needed if field not in fields]
    if reasons:
        raise BadColumns(tuple(reasons))
    return Columns(titles=titles, fields=fields)


def check_renamed(entity_type: EntityType[Entity], names: Iterable[str]) -> None:
    """Check that these are names of fields, or empty. Raises `BadColumns`."""
    unknown = [name for name in names if name and name not in entity_type.by_name]
    if unknown:
        raise BadColumns(tuple(f"{name} is not a field ({suggestion(name, entity_type.by_name)})" for name in unknown))


def _field(entity_type: EntityType[Entity], renamed: Mapping[str, str], title: str) -> str | None:
    name = renamed.get(title, title)
    return name if name in entity_type.by_name else None


def _unknown(entity_type: EntityType[Entity], title: str) -> str:
    return f"the column {title[:50]!r} is not a field ({suggestion(title, entity_type.by_name)})"
