"""Rows of others: what they become, and why they are refused."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.serialization.cells import CellParser
from domain.commands import Command, Create, Refuse
from domain.entity_type import EntityType
from domain.errors import (
    AlreadyExists,
    DomainError,
    KeyReused,
    NotFound,
    PreconditionFailed,
    ValidationFailed,
    Violation,
)
from domain.merge import MergeById, MergeByValue
from domain.parsing import from_json
from domain.product import PRODUCT
from domain.rows import MAX_SHOWN, Row, RowParser, RowRules, violations_of
from domain.state import State
from domain.task import TASK, Status
from tests.builders import LATER, product, task


def parser(entity_type: EntityType[Any] = TASK, match: str | None = None, *, update: bool = False) -> RowParser:
    """Return a parser of cells."""
    return RowParser(RowRules(entity_type=entity_type, match=match, update=update), CellParser())


def row(line: int = 2, fault: Violation | None = None, **values: Any) -> Row:
    """Return a row with these cells."""
    return Row(line, "", values, fault)


def refusal(parser: RowParser, row: Row) -> list[str]:
    """Return what is wrong with a row."""
    with pytest.raises(ValidationFailed) as refused:
        parser.command(row)
    return [str(each) for each in violations_of(row, refused.value, {})]


def decided(command: Command, *entities: Any) -> Any:
    """Decide a command on the state with some entities."""
    return command.decide(State.of(*entities, next_id=9), LATER)


def test_a_row_makes_an_entity() -> None:
    """Null sets a field to its default. Read-only values of an export are passed over, whatever they are."""
    command = parser().command(row(id="7", version="x", created_at="", title=" a ", status="done", due=None))
    made = decided(command)
    assert (9, 1, "a", Status.DONE, None, LATER) == (
        made.id, made.version, made.title, made.status, made.due, made.completed_at
    )  # fmt: skip


def test_everything_that_is_wrong() -> None:
    """All violations of a row come at once, with their values; a long one is cut."""
    long = "x" * 201
    assert [
        "line 3: title is required",
        "line 3: status 'open' must be one of pending, in_progress, done, cancelled",
        "line 3: due '31.12.2026' must be a date such as 2026-12-31",
        f"line 3: titel '{long[:MAX_SHOWN]}…' is not a field"
        f" (did you mean title? there are {', '.join(TASK.writable_names)})",
    ] == refusal(parser(), row(3, status="open", due="31.12.2026", titel=long))


def test_a_row_that_could_not_be_read() -> None:
    """Its fault is its violation."""
    fault = Violation(field="", code="wrong_width", reason="has 1 cells, and the header has 3")
    assert ["line 2: has 1 cells, and the header has 3"] == refusal(parser(), row(fault=fault))


def test_columns_have_their_titles() -> None:
    """Violations name the column as the file does."""
    refused = ValidationFailed(violations=(Violation(field="title", code="required", reason="is required"),))
    (told,) = violations_of(row(title=None), refused, {"title": "Titel"})
    assert "line 2: Titel is required" == str(told)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AlreadyExists(entity_type="product", field="sku", value="A", owner=3), "sku 'A' already belongs to product 3"),
        (NotFound(entity_type="task", id=7), "id '7' belongs to no task"),
        (PreconditionFailed(current=task(version=4), expected=2), "version '2' is 4 by now"),
        (
            PreconditionFailed(current=task(version=4), expected=2, changed=("title", "due")),
            "version '2' is 4 by now: title, due changed since",
        ),
        (KeyReused(), "this idempotency key belongs to another request"),
    ],
)
def test_what_the_store_refuses(error: DomainError, said: str) -> None:
    """It is told like what is wrong with the row itself."""
    (told,) = violations_of(row(id="7", version="2", sku="A"), error, {})
    assert (f"line 2: {said}", error.code) == (str(told), told.code)


def test_rows_that_share_a_unique_value() -> None:
    """Only the first is taken, and the others name its line; null is shared by any number."""
    products = parser(PRODUCT)
    for line, sku in ((2, "A"), (3, None), (4, None), (5, "B")):
        products.command(row(line, name="n", price="1", sku=sku))
    assert ["line 6: sku 'A' is the same as in line 2"] == refusal(products, row(6, name="n", price="1", sku="A"))


def test_rows_for_the_same_entity() -> None:
    """Only the first is taken."""
    tasks = parser(match="id")
    tasks.command(row(2, id="7", title="a"))
    assert ["line 3: id '7' is the same as in line 2"] == refusal(tasks, row(3, id="7", title="b"))


@pytest.mark.parametrize("entity_type", [TASK, PRODUCT])
def test_a_row_without_a_match(entity_type: EntityType[Any]) -> None:
    """With --match, a row without that value makes an entity."""
    values = {"title": "a"} if entity_type is TASK else {"name": "a", "price": "1"}
    for match in ("id", *(each.name for each in entity_type.unique)):
        for update in (True, False):
            given = Row(2, "", {**values, match: None})
            assert isinstance(parser(entity_type, match, update=update).command(given), Create)


def test_an_entity_that_is_there_is_left_alone() -> None:
    """Without --update it stays the same object, whatever the row says."""
    before = product(id=7, sku="A")
    for match in ("id", "sku"):
        given = row(id="7", sku="A", name="Other", price="5", version="99")
        assert before is decided(parser(PRODUCT, match).command(given), before)


def test_an_entity_that_is_there_is_edited() -> None:
    """With --update the cells are set; fields without a column stay, and null is the default."""
    before = product(id=7, sku="A", stock=5, category="old")
    for match in ("id", "sku"):
        given = row(id="7", sku="A", price="5", category=None)
        after = decided(parser(PRODUCT, match, update=True).command(given), before)
        assert (7, 2, "A", 5, "general", Decimal(5)) == (
            after.id, after.version, after.sku, after.stock, after.category, after.price
        )  # fmt: skip


def test_a_version_that_was_read() -> None:
    """A row with an older version is refused if it would change something, and is left alone otherwise."""
    before = product(id=7, sku="A", version=4)
    for match in ("id", "sku"):
        rules = parser(PRODUCT, match, update=True)
        assert before is decided(rules.command(row(2, id="7", sku="A", name=before.name, version="3")), before)
        other = parser(PRODUCT, match, update=True).command(row(2, id="7", sku="A", name="x", version="3"))
        with pytest.raises(PreconditionFailed):
            decided(other, before)
        same = parser(PRODUCT, match, update=True).command(row(2, id="7", sku="A", name="x", version="4"))
        assert 5 == decided(same, before).version


def test_a_new_unique_value() -> None:
    """It makes an entity, if the row has everything that one needs."""
    whole = parser(PRODUCT, "sku", update=True).command(row(sku="N", name="New", price="1"))
    assert (9, "N") == ((made := decided(whole, product(sku="A"))).id, made.sku)
    half = parser(PRODUCT, "sku", update=True).command(row(sku="N", price="1"))
    assert isinstance(half, MergeByValue)
    assert isinstance(half.create, Refuse)
    with pytest.raises(ValidationFailed, match="name is required"):
        decided(half)
    assert Decimal(1) == decided(half, product(sku="N")).price


def test_an_unknown_id() -> None:
    """An id cannot be chosen, so a row with one that is not there is refused."""
    command = parser(match="id").command(row(id="7", title="a"))
    assert isinstance(command, MergeById)
    with pytest.raises(NotFound):
        decided(command)


@pytest.mark.parametrize(("name", "text"), [("id", "0"), ("id", "x"), ("version", "-1"), ("version", "1.5")])
def test_a_bad_id_or_version(name: str, text: str) -> None:
    """With --match they are checked."""
    given = Row(2, "", {"id": "1", "title": "a", name: text})
    (told,) = refusal(parser(match="id", update=True), given)
    assert told.startswith(f"line 2: {name} '{text}' must be")


@pytest.mark.parametrize(
    ("rules", "needed"),
    [
        (RowRules(entity_type=PRODUCT), ("name", "price")),
        (RowRules(entity_type=PRODUCT, match="sku"), ("sku", "name", "price")),
        (RowRules(entity_type=PRODUCT, match="sku", update=True), ("sku",)),
        (RowRules(entity_type=TASK, match="id", update=True), ("id",)),
    ],
)
def test_needed_columns(rules: RowRules, needed: tuple[str, ...]) -> None:
    """What makes entities needs the required fields, what finds them needs its field, and edits need nothing else."""
    assert needed == rules.needed


def test_what_depends_on_the_store() -> None:
    """A row can be refused for what is in the store if entities are matched, or have unique values."""
    assert [False, True, True] == [
        each.asks_the_store
        for each in (RowRules(entity_type=TASK), RowRules(entity_type=TASK, match="id"), RowRules(entity_type=PRODUCT))
    ]


def test_json_values() -> None:
    """Rows hold JSON values as well, for whoever reads them so."""
    values = RowParser(RowRules(entity_type=PRODUCT), from_json)
    made = decided(values.command(Row(1, "", {"name": "n", "price": Decimal("9.990"), "stock": 5})))
    assert (Decimal("9.99"), 5) == (made.price, made.stock)
