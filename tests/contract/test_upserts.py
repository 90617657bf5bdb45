"""Upserts find the owner of a unique value."""

import asyncio
from typing import Any

import pytest

from domain.commands import Delete
from domain.decisions import Done
from domain.errors import ValidationFailed
from domain.ports import Store
from domain.product import PRODUCT
from domain.upsert import Upsert
from tests.contract.steps import carry_out, edit, fill, got, outcome, refusal, trail

pytestmark = pytest.mark.anyio


def upsert(sku: str, **raw: object) -> Upsert[Any]:
    """Return a command that edits the product with a sku, or creates it."""
    return Upsert.parse(PRODUCT, "sku", {"sku": sku, **raw})


async def test_edits_the_holder(store: Store, other: Store) -> None:
    """An upsert edits the given fields of the owner, or creates an entity if there is no owner."""
    await fill(store, PRODUCT, {"sku": "A", "stock": 5}, {"sku": "B"})

    edited, new = await carry_out(other, upsert("A", price="1.00"), upsert("C", name="New", price="2.00"))

    assert (1, 2, 5, "1.00") == (edited.id, edited.version, edited.stock, str(edited.price))
    assert edited == await got(store, PRODUCT, 1)
    assert (1, "New") == (new.version, new.name)
    assert new == await got(store, PRODUCT, new.id)
    assert [("product.updated", 1, 2), ("product.created", new.id, 1)] == (await trail(store))[2:]


async def test_changes_nothing(store: Store) -> None:
    """An upsert without effect leaves no change."""
    await fill(store, PRODUCT, {"sku": "A", "stock": 5})
    (result,) = (await outcome(store, upsert("A", stock=5))).results
    assert isinstance(result, Done)
    assert (1, None) == (result.record.version, result.action)


async def test_sees_those_before_it(store: Store) -> None:
    """An upsert sees the earlier commands of its batch, which may create, set or free the value."""
    await fill(store, PRODUCT, {"sku": "A"}, {"sku": "B"})
    made, again, moved, met, fresh = await carry_out(
        store,
        upsert("C", name="New", price="2.00"),
        upsert("C", stock=1),
        edit(PRODUCT, 1, sku="D"),
        upsert("D", stock=2),
        upsert("A", name="Newer", price="3.00"),
    )
    assert (made.id, 2, 1) == (again.id, again.version, again.stock)
    assert (1, 3, 2) == (met.id, moved.version + 1, met.stock)
    assert fresh.id not in {1, 2, made.id}


async def test_needs_what_a_new_one_needs(store: Store) -> None:
    """Without a living owner, an upsert must give all required fields."""
    await fill(store, PRODUCT, {"sku": "A"})
    await carry_out(store, Delete(entity_type=PRODUCT, id=1))
    refused = await refusal(store, upsert("A", stock=5))
    assert isinstance(refused, ValidationFailed)
    assert ["name", "price"] == [each.field for each in refused.violations]


async def test_many_at_once(store: Store, other: Store) -> None:
    """Of many concurrent upserts of one value, one creates the entity and the others edit it."""
    tries = [upsert("A", name="New", price="1.00", stock=number) for number in range(20)]
    done = await asyncio.gather(*(carry_out((store, other)[n % 2], each) for n, each in enumerate(tries)))

    assert {done[0][0].id} == {product.id for (product,) in done}
    assert [*range(1, 21)] == sorted(product.version for (product,) in done)
