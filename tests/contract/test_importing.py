"""Importing rows into every store: what is checked, written, left alone, and done only once."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from attrs import evolve

from adapters.serialization.cells import CellParser
from domain.commands import Delete
from domain.decisions import MAX_COMMANDS
from domain.entity_type import EntityType
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Query
from domain.rows import Row, RowRules
from domain.task import TASK
from domain.use_cases.import_rows import CALLER, Imported, ImportPlan, blocks, check_block, write_block
from tests.contract.steps import carry_out, edit, fill, trail, walk, whole_log

pytestmark = pytest.mark.anyio

Cells = Mapping[str, str | None]


def plan(entity_type: EntityType[Any] = PRODUCT, match: str | None = None, **facts: Any) -> ImportPlan:
    """Return a plan for rows of cells."""
    rules = RowRules(entity_type=entity_type, match=match, update=facts.pop("update", False))
    return ImportPlan(**{"rules": rules, "parse": CellParser(), "name": "file", "columns": {}, **facts})


def rows(*cells: Cells) -> list[Row]:
    """Return rows of cells, from line 2 on."""
    return [Row(line, "", each) for line, each in enumerate(cells, 2)]


def goods(*skus: str | None, **more: str) -> list[Row]:
    """Return a row for a product with each sku."""
    return rows(*({"name": "n", "price": "1.50", "sku": sku, **more} for sku in skus))


async def checked(store: Store, rows: Iterable[Row], plan: ImportPlan) -> list[Imported]:
    """Check rows."""
    return [await check_block(store, block, plan) for block in blocks(rows, plan)]


async def written(store: Store, rows: Iterable[Row], plan: ImportPlan) -> list[Imported]:
    """Write rows."""
    return [await write_block(store, block, plan) for block in blocks(rows, plan)]


def told(imported: Iterable[Imported]) -> list[str]:
    """Return what is wrong with the refused rows."""
    return [str(each) for block in imported for _, violations in block.refused for each in violations]


async def skus(store: Store) -> list[str | None]:
    """Return the sku of each product, in the order of ids."""
    return [each.sku for each in await walk(store, Query(entity_type=PRODUCT))]


async def test_rows_become_entities(store: Store) -> None:
    """They are written in the order of the rows, and the log tells which import made them."""
    assert [Imported(rows=3, created=3)] == await written(store, goods("B", None, "A"), plan())
    assert ["B", None, "A"] == await skus(store)
    assert {f"{CALLER}-file"} == {each.change.request_id for each in await whole_log(store)}


async def test_a_check_writes_nothing(store: Store) -> None:
    """It tells what would become of rows, uses no key, and the import then takes place."""
    some = goods("A", "B")
    assert [Imported(rows=2, created=2)] == await checked(store, some, plan())
    assert [] == await trail(store)
    assert [Imported(rows=2, created=2)] == await written(store, some, plan())


async def test_what_the_store_refuses(store: Store) -> None:
    """A check tells unique values that are taken, unknown ids, and versions of before."""
    first, second = await fill(store, PRODUCT, {"sku": "A"}, {"sku": "B"})
    await carry_out(store, edit(PRODUCT, second.id, stock=3))
    assert ["line 3: sku 'A' already belongs to product 1"] == told(await checked(store, goods("N", "A"), plan()))
    by_id = rows({"id": "1", "sku": "C"}, {"id": "2", "version": "1", "stock": "9"}, {"id": "7", "name": "x"})
    assert ["line 3: version '1' is 2 by now: stock changed since", "line 4: id '7' belongs to no product"] == told(
        await checked(store, by_id, plan(match="id", update=True))
    )
    assert first == (await walk(store, Query(entity_type=PRODUCT)))[0]


async def test_one_bad_row_undoes_its_block(store: Store) -> None:
    """Unless it continues, an import writes all of a block or nothing of it."""
    await fill(store, PRODUCT, {"sku": "A"})
    (block,) = await written(store, goods("N", "A", "M"), plan())
    assert (3, 0, ["line 3: sku 'A' already belongs to product 1"]) == (block.rows, block.created, told([block]))
    assert ["A"] == await skus(store)


async def test_good_rows_go_on(store: Store) -> None:
    """An import that continues writes the others, and returns refused rows in their order."""
    await fill(store, PRODUCT, {"sku": "A"})
    some = [*goods("N", "A", "M"), Row(9, "", {"name": None})]
    (block,) = await written(store, some, plan(continues=True))
    assert (4, 2) == (block.rows, block.created)
    assert [3, 9] == [row.line for row, _ in block.refused]
    assert ["A", "N", "M"] == await skus(store)


async def test_the_same_import_again(store: Store) -> None:
    """Rows that were imported are not imported again; other content is another import."""
    some = goods("A", None)
    await written(store, some, plan())
    assert [Imported(rows=2, before=2)] == await checked(store, some, plan())
    assert [Imported(rows=2, before=2)] == await written(store, some, plan())
    assert ["A", None] == await skus(store)
    assert [Imported(rows=1, created=1)] == await written(store, goods(None), plan(name="other"))
    assert [1, 2, 3] == [each.id for each in await walk(store, Query(entity_type=PRODUCT))], "a repetition takes no ids"


async def test_an_interrupted_import_goes_on(store: Store) -> None:
    """After some of its blocks were written, all of it passes the check again, and the rest is written once."""
    some = goods(*(f"N-{number}" for number in range(2 * MAX_COMMANDS + 1)))
    await written(store, some[:MAX_COMMANDS], plan())
    again = await checked(store, some, plan())
    assert ([], [MAX_COMMANDS, 0, 0]) == (told(again), [block.before for block in again])
    assert [0, MAX_COMMANDS, 1] == [block.created for block in await written(store, some, plan())]
    assert [each.values["sku"] for each in some] == await skus(store)


async def test_rejected_rows_again(store: Store) -> None:
    """Repeated, an import that continues rejects the same rows, for the same reasons."""
    await fill(store, PRODUCT, {"sku": "A"})
    some = goods("N", "A", "M", "A2")
    first = await written(store, some, plan(continues=True))
    assert [Imported(rows=4, before=3, refused=first[0].refused)] == await written(store, some, plan(continues=True))


async def test_an_undone_block_is_tried_again(store: Store) -> None:
    """What stood in its way may be gone; no outcome is kept where nothing took effect."""
    await fill(store, PRODUCT, {"sku": "A"})
    some = goods("N", "A")
    await written(store, some, plan())
    await carry_out(store, Delete(entity_type=PRODUCT, id=1))
    assert [Imported(rows=2, created=2)] == await written(store, some, plan())


async def test_what_is_there_is_edited(store: Store) -> None:
    """With an update, rows edit what is there, leave alone what does not differ, and make what is new."""
    await fill(store, PRODUCT, {"sku": "A", "name": "n", "price": 1}, {"sku": "B", "name": "n", "price": "1.50"})
    some = goods("A", "B", "C", None)
    assert [Imported(rows=4, created=2, updated=1, unchanged=1)] == await written(
        store, some, plan(match="sku", update=True)
    )
    assert [2, 1, 1, 1] == [each.version for each in await walk(store, Query(entity_type=PRODUCT))]
    assert [Imported(rows=4, unchanged=3, before=1)] == await written(store, some, plan(match="sku", update=True))


async def test_an_edit_of_others_is_not_hidden(store: Store) -> None:
    """Rows that name their entity are carried out each time, so a file can be enforced again and again."""
    await fill(store, PRODUCT, {"sku": "A"})
    for _ in range(2):
        assert [Imported(rows=1, updated=1)] == await written(store, goods("A"), plan(match="sku", update=True))
        await carry_out(store, edit(PRODUCT, 1, price=7))


async def test_what_is_there_is_left_alone(store: Store) -> None:
    """Without an update, only what is missing is made."""
    await fill(store, PRODUCT, {"sku": "A", "price": 9})
    assert [Imported(rows=2, created=1, unchanged=1)] == await written(store, goods("A", "B"), plan(match="sku"))
    assert [1, 1] == [each.version for each in await walk(store, Query(entity_type=PRODUCT))]


async def test_by_id(store: Store) -> None:
    """Tasks are found by their ids, and a row without one makes a task."""
    await fill(store, TASK, {"title": "a"}, {"title": "b"})
    some = rows({"id": "2", "title": "c"}, {"id": None, "title": "d"}, {"id": "1", "title": "a"})
    assert [Imported(rows=3, created=1, updated=1, unchanged=1)] == await written(
        store, some, plan(TASK, "id", update=True)
    )
    assert ["a", "c", "d"] == [each.title for each in await walk(store, Query(entity_type=TASK))]


async def test_skus_that_change_hands(store: Store) -> None:
    """By their ids, products can get the skus of others that give them up in the same file."""
    await fill(store, PRODUCT, {"sku": "A"}, {"sku": "B"}, {"sku": None})
    some = rows({"id": "1", "sku": None}, {"id": "2", "sku": "A"}, {"id": "3", "sku": "B"})
    assert [] == told(await checked(store, some, plan(match="id", update=True)))
    assert [Imported(rows=3, updated=3)] == await written(store, some, plan(match="id", update=True))
    assert [None, "A", "B"] == await skus(store)


async def test_another_plan_for_the_same_file(store: Store) -> None:
    """An import that now continues has the same keys, so it goes on where the other one ended."""
    some = goods("A")
    await written(store, some, plan())
    assert [Imported(rows=1, before=1)] == await written(store, some, evolve(plan(), continues=True))
