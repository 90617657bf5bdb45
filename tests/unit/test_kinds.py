"""What every kind of entity has in common: fields, defaults, and all breaches at once."""

from typing import Any

import pytest

from domain.catalogue import KINDS
from domain.errors import Invalid
from domain.kinds import MAX_ID, SEPARATOR, Kind
from domain.product import PRODUCT
from domain.task import TASK
from tests.builders import REQUIRED, product, task

EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=repr)


def breaches(kind: Kind[Any], raw: dict[str, object], *, whole: bool = True) -> list[tuple[str, str]]:
    """Return the field and the code of each breach of a raw document."""
    with pytest.raises(Invalid) as caught:
        kind.check(raw, whole=whole)
    return [(breach.field, breach.code) for breach in caught.value.breaches]


@EVERY_KIND
def test_every_entity_starts_with_the_same_fields(kind: Kind[Any]) -> None:
    """The id, the version and both times come first, and clients cannot set them."""
    assert ["id", "version", "created_at", "updated_at"] == [field.name for field in kind.fields[:4]]
    assert not {"id", "version", "created_at", "updated_at"} & set(kind.writable_names)


@EVERY_KIND
def test_what_is_required(kind: Kind[Any]) -> None:
    """Every required field is missing from an empty document, in the order of the fields, and from no other kind."""
    assert [(field.name, "required") for field in kind.required] == breaches(kind, {})
    assert ({}, {}) == kind.check({}, whole=False)


@EVERY_KIND
@pytest.mark.parametrize("whole", [True, False])
def test_null_for_what_is_required(kind: Kind[Any], whole: bool) -> None:
    """Null for a required field counts as missing, even where no field needs to be sent."""
    raw: dict[str, object] = {field.name: None for field in kind.required}
    assert [(field.name, "required") for field in kind.required] == breaches(kind, raw, whole=whole)


@EVERY_KIND
def test_null_sets_the_default(kind: Kind[Any]) -> None:
    """Null sets every field that is not required to its default."""
    optional = [field for field in kind.writable if not field.required]
    values, _ = kind.check({field.name: None for field in optional}, whole=False)
    assert {field.name: field.default for field in optional} == values


@EVERY_KIND
def test_read_only_values_are_set_apart(kind: Kind[Any]) -> None:
    """Read-only fields are neither checked nor taken as values: they are returned as they came."""
    raw = {field.name: "anything" for field in kind.fields if field.read_only}
    values, echoes = kind.check(REQUIRED[kind] | raw, whole=True)
    assert (set(REQUIRED[kind]), raw) == (set(values), echoes)


@EVERY_KIND
@pytest.mark.parametrize("name", ["colour", "", "ID", "title ", "__class__", "derive"])
def test_unknown_fields(kind: Kind[Any], name: str) -> None:
    """A field that the kind does not have is refused by its name."""
    assert [(name, "unknown_field")] == breaches(kind, REQUIRED[kind] | {name: 1})


def test_blank_text_counts_as_missing_where_it_is_required() -> None:
    """A blank title is missing; a blank category is just not allowed; blank notes are fine."""
    assert [("title", "required")] == breaches(TASK, {"title": " \n"})
    assert [("category", "blank")] == breaches(PRODUCT, REQUIRED[PRODUCT] | {"category": " "})
    assert ({"notes": ""}, {}) == TASK.check({"notes": " "}, whole=False)


def test_every_breach_is_told_at_once() -> None:
    """One refusal names the missing, the wrong and the unknown together."""
    raw: dict[str, object] = {"price": "free", "stock": -1, "sku": "a b", "colour": "red", "version": "x"}
    expected = {
        ("price", "wrong_type"),
        ("stock", "out_of_range"),
        ("sku", "forbidden_character"),
        ("colour", "unknown_field"),
        ("name", "required"),
    }
    found = breaches(PRODUCT, raw)
    assert (expected, len(expected)) == (set(found), len(found))


@pytest.mark.parametrize("raw", [{}, {"price": None}, {"price": None, "name": " "}, {"name": None}])
def test_missing_fields_read_as_a_sentence(raw: dict[str, object]) -> None:
    """What is missing is told in one sentence, in the order of the fields, however it is missing."""
    with pytest.raises(Invalid, match=r"^name and price are required$"):
        PRODUCT.check(raw, whole=True)


def test_one_missing_field_reads_as_a_sentence() -> None:
    """A single missing field gets the singular."""
    with pytest.raises(Invalid, match=r"^title is required$"):
        TASK.check({}, whole=True)


@EVERY_KIND
def test_the_largest_id(kind: Kind[Any]) -> None:
    """Ids fit into 64 bits with a sign."""
    assert 2**63 - 1 == MAX_ID == kind.by_name["id"].rule.check(MAX_ID)


@EVERY_KIND
def test_what_the_catalogue_shows(kind: Kind[Any]) -> None:
    """Kinds have names of their own, a plain representation, and are equal only to themselves."""
    assert len(KINDS) == len({each.name for each in KINDS}) == len({each.collection for each in KINDS})
    assert f"<Kind {kind.name}>" == repr(kind)
    assert [kind] == [each for each in KINDS if each == kind]


def test_search_text_keeps_fields_apart() -> None:
    """The searched fields are folded and joined by what no text can hold, an empty field by nothing."""
    assert f"a{SEPARATOR}strasse" == TASK.search_text(task(title="A", notes="Straße"))
    assert f"widget a{SEPARATOR}{SEPARATOR}" == PRODUCT.search_text(product())
    assert f"widget a{SEPARATOR}w-1{SEPARATOR}blue" == PRODUCT.search_text(product(sku="W-1", description="Blue"))


def test_entities_are_equal_when_every_field_is() -> None:
    """Equality looks at more than the id."""
    assert task() == task()
    assert task() != task(notes="more")
