"""Rules of every entity type: fields, defaults, and all violations at once."""

from typing import Any

import pytest
from attrs import frozen

from domain.entity_type import (
    MAX_ID,
    MAX_KNOWN,
    MAX_REMEMBERED,
    MAX_SUGGESTED,
    SEPARATOR,
    Entity,
    EntityType,
    Field,
    writable,
)
from domain.errors import ValidationFailed
from domain.field_types import FieldType, Integer, String, ValidationError
from domain.parsing import from_json, json_value
from domain.product import PRODUCT
from domain.registry import ENTITY_TYPES
from domain.task import TASK
from tests.builders import REQUIRED, product, task

EVERY_ENTITY_TYPE = pytest.mark.parametrize("entity_type", ENTITY_TYPES, ids=repr)


def violations(entity_type: EntityType[Any], raw: dict[str, object], *, whole: bool = True) -> list[tuple[str, str]]:
    """Return the field and the code of each violation of a raw document."""
    with pytest.raises(ValidationFailed) as caught:
        entity_type.check(raw, whole=whole)
    return [(violation.field, violation.code) for violation in caught.value.violations]


@EVERY_ENTITY_TYPE
def test_every_entity_starts_with_the_same_fields(entity_type: EntityType[Any]) -> None:
    """The id, the version and both times come first, and clients cannot set them."""
    assert ["id", "version", "created_at", "updated_at"] == [field.name for field in entity_type.fields[:4]]
    assert not {"id", "version", "created_at", "updated_at"} & set(entity_type.writable_names)


@EVERY_ENTITY_TYPE
def test_what_is_required(entity_type: EntityType[Any]) -> None:
    """Every required field is missing from an empty document, in the order of the fields."""
    assert [(field.name, "required") for field in entity_type.required] == violations(entity_type, {})
    assert {} == entity_type.check({}, whole=False)


@EVERY_ENTITY_TYPE
@pytest.mark.parametrize("whole", [True, False])
def test_null_for_what_is_required(entity_type: EntityType[Any], whole: bool) -> None:
    """Null for a required field counts as missing, even where no field needs to be sent."""
    raw: dict[str, object] = {field.name: None for field in entity_type.required}
    assert [(field.name, "required") for field in entity_type.required] == violations(entity_type, raw, whole=whole)


@EVERY_ENTITY_TYPE
def test_null_sets_the_default(entity_type: EntityType[Any]) -> None:
    """Null sets every field that is not required to its default."""
    optional = [field for field in entity_type.writable if not field.required]
    values = entity_type.check({field.name: None for field in optional}, whole=False)
    assert {field.name: field.default for field in optional} == values


def test_a_few_suggestions() -> None:
    """The nearest field is named for the first few that are not known; for all that a body holds it would take long."""
    raw: dict[str, object] = {f"titl{number}": 1 for number in range(MAX_SUGGESTED + 1)}
    with pytest.raises(ValidationFailed) as caught:
        TASK.check(raw, whole=False)
    reasons = [each.reason for each in caught.value.violations]
    fields = ", ".join(TASK.writable_names)
    assert [f"is not a field (did you mean title? there are {fields})"] * MAX_SUGGESTED + ["is not a field"] == reasons


@EVERY_ENTITY_TYPE
def test_read_only_fields_cannot_be_set(entity_type: EntityType[Any]) -> None:
    """A value for a read-only field is a violation, whatever it is."""
    names = [field.name for field in entity_type.fields if field.read_only]
    assert [(name, "read_only") for name in names] == violations(
        entity_type, REQUIRED[entity_type] | dict.fromkeys(names, "anything")
    )


@EVERY_ENTITY_TYPE
@pytest.mark.parametrize("name", ["no_such_field", "", "ID", "title ", "__class__", "derive"])
def test_unknown_fields(entity_type: EntityType[Any], name: str) -> None:
    """A field that the type does not have is refused by its name."""
    assert [(name, "unknown_field")] == violations(entity_type, REQUIRED[entity_type] | {name: 1})


def test_blank_text_counts_as_missing_where_it_is_required() -> None:
    """A blank title is missing; a blank category is just not allowed; blank notes are fine."""
    assert [("title", "required")] == violations(TASK, {"title": " \n"})
    assert [("category", "blank")] == violations(PRODUCT, REQUIRED[PRODUCT] | {"category": " "})
    assert {"notes": ""} == TASK.check({"notes": " "}, whole=False)


def test_every_breach_is_told_at_once() -> None:
    """One refusal names the missing, the wrong and the unknown together."""
    raw: dict[str, object] = {"price": "free", "stock": -1, "sku": "a b", "no_such_field": "red", "version": "x"}
    expected = {
        ("price", "wrong_type"),
        ("stock", "out_of_range"),
        ("sku", "forbidden_character"),
        ("no_such_field", "unknown_field"),
        ("version", "read_only"),
        ("name", "required"),
    }
    found = violations(PRODUCT, raw)
    assert (expected, len(expected)) == (set(found), len(found))


@pytest.mark.parametrize("raw", [{}, {"price": None}, {"price": None, "name": " "}, {"name": None}])
def test_missing_fields_read_as_a_sentence(raw: dict[str, object]) -> None:
    """One sentence names the missing fields, in the order of the fields, however they are missing."""
    with pytest.raises(ValidationFailed, match=r"^name and price are required$"):
        PRODUCT.check(raw, whole=True)


def test_one_missing_field_reads_as_a_sentence() -> None:
    """A single missing field gets the singular."""
    with pytest.raises(ValidationFailed, match=r"^title is required$"):
        TASK.check({}, whole=True)


@EVERY_ENTITY_TYPE
def test_the_largest_id(entity_type: EntityType[Any]) -> None:
    """Ids fit into 64 bits with a sign."""
    assert 2**63 - 1 == MAX_ID == json_value(entity_type.by_name["id"].field_type, MAX_ID)


@EVERY_ENTITY_TYPE
def test_what_the_catalogue_shows(entity_type: EntityType[Any]) -> None:
    """Entity types have their own names, a plain representation, and are equal only to themselves."""
    assert (
        len(ENTITY_TYPES)
        == len({each.name for each in ENTITY_TYPES})
        == len({each.collection for each in ENTITY_TYPES})
    )
    assert f"<EntityType {entity_type.name}>" == repr(entity_type)
    assert [entity_type] == [each for each in ENTITY_TYPES if each == entity_type]


def test_search_text_keeps_fields_apart() -> None:
    """The searched fields are folded and joined by what no text can hold, an empty field by nothing."""
    assert f"a{SEPARATOR}strasse" == TASK.search_text(task(title="A", notes="Straße"))
    assert f"widget a{SEPARATOR}{SEPARATOR}" == PRODUCT.search_text(product())
    assert f"widget a{SEPARATOR}w-1{SEPARATOR}blue" == PRODUCT.search_text(product(sku="W-1", description="Blue"))


def test_entities_are_equal_when_every_field_is() -> None:
    """Equality looks at more than the id."""
    assert task() == task()
    assert task() != task(notes="more")


def test_an_entity_with_slots() -> None:
    """It is refused at once, because what its slots hold would not be among its values."""

    @frozen(kw_only=True)
    class Slotted(Entity):
        name: str = writable(String(1, 9))

    with pytest.raises(TypeError, match=r"^Slotted needs slots=False: its values are its `vars`$"):
        EntityType(Slotted, name="slotted", collection="slotted")


@EVERY_ENTITY_TYPE
def test_a_remembering_check_is_the_same(entity_type: EntityType[Any]) -> None:
    """It returns and refuses the same, however often, and mixes up no values that Python takes for equal."""
    for field in entity_type.writable:
        check = field.remembering()
        for value in [None, "", "done", "2026-01-31", "9.99", "x" * 99, 1, True, 1.0, [], ["task.created"]] * 2:
            assert checked(field.check, value) == checked(check, value)


def test_what_is_remembered_is_bounded() -> None:
    """Only short texts are remembered, and not very many of them."""
    read: list[object] = []

    def parse(_: FieldType, raw: object) -> object:
        read.append(raw)
        return int(str(raw))

    check = Field(name="stock", field_type=Integer(0, MAX_KNOWN)).remembering()
    long = "7".zfill(MAX_REMEMBERED + 1)
    assert [7, 7, 7, 7] == [check(each, parse) for each in ("7", "7", long, long)]
    assert ["7", long, long] == read
    assert all(number == check(str(number), parse) for number in range(MAX_KNOWN + 1))
    read.clear()
    assert 7 == check("7", parse)
    assert ["7"] == read


def checked(check: Any, value: object) -> object:
    """Return the value in its stored form, with its type, or why it is refused."""
    try:
        stored = check(value, from_json)
    except ValidationError as refused:
        return refused.code, refused.reason
    return type(stored), stored
