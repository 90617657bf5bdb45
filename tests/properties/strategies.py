"""Everything that an entity can hold, made from the rules of its fields."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from domain.entity_type import MAX_ID, EntityType, Field
from domain.field_types import Boolean, Date, EnumField, FieldType, Integer, ListOf, Money, String, Timestamp, Url
from domain.text import shows_something

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
"""Text with anything in it, even halves of surrogate pairs."""

_BREAKS = "\u2028\u2029"


def values(field_type: FieldType) -> st.SearchStrategy[Any]:
    """Return values that a rule accepts, as it leaves them."""
    match field_type:
        case Url():
            return st.from_regex(r"https?://[a-z]{1,9}\.example(:[1-9][0-9]{0,3})?/[a-z?]{0,20}", fullmatch=True)
        case Boolean():
            return st.booleans()
        case ListOf(known=known):
            return st.lists(st.sampled_from(known), unique=True).map(tuple)
        case String(least=least, most=most, lines=lines, alphabet=alphabet):
            if alphabet is not None:
                return st.from_regex(rf"[{alphabet}]{{{least},{most}}}", fullmatch=True)
            allowed = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="" if lines else _BREAKS)
            characters = allowed | st.sampled_from("\n\t") if lines else allowed
            return (
                st.text(characters, max_size=min(most, 40))
                .map(str.strip)
                .filter(lambda text: len(text) >= least and (not least or shows_something(text)))
            )
        case EnumField(members=members):
            return st.sampled_from(list(members))
        case Integer(least=least, most=most):
            return st.integers(least, most)
        case Money(most=most):
            return st.integers(0, int(most * 100)).map(lambda cents: Decimal(cents).scaleb(-2))
        case Date():
            return st.dates()
        case Timestamp():
            return st.datetimes(timezones=st.just(UTC))
        case _:
            raise NotImplementedError(field_type)


def field_values(field: Field) -> st.SearchStrategy[Any]:
    """Return values of a field, None among them where it can be empty."""
    return st.none() | values(field.field_type) if field.nullable else values(field.field_type)


@st.composite
def entities(draw: st.DrawFn, entity_type: EntityType[Any]) -> Any:
    """Return entities of a type with anything in their fields that goes together."""
    times = st.datetimes(timezones=st.just(UTC))
    made, edited = (
        entity_type.check(draw(st.fixed_dictionaries(fields)), whole=True)
        for fields in [{field.name: field_values(field) for field in entity_type.writable}] * 2
    )
    entity = entity_type.entity.of(made, id=draw(st.integers(1, MAX_ID)), at=draw(times))
    entity = evolve(entity, version=draw(st.integers(1, MAX_ID - 1)))
    return entity.apply(edited, at=draw(times)) if draw(st.booleans()) else entity


def written(value: Any) -> object:
    """Return how a document writes a value."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return getattr(value, "value", value)
