"""Plans of PostgreSQL: by the index of the field, in any direction and for a page at any depth."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeAlias

import asyncpg
import pytest
from attrs import evolve

from adapters.postgres import log
from adapters.postgres.pages import Selection
from adapters.postgres.store import PostgresStore
from domain.entity_type import EntityType, Field
from domain.field_types import Boolean, Date, EnumField, String
from domain.public_types import PUBLIC_TYPES
from domain.queries import Condition, Operator, Order, Query
from tests.builders import Clock, create
from tests.contract.steps import carry_out, edit

pytestmark = pytest.mark.anyio

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

NUMBER = 3000
RARE = 1500


def raw(entity_type: EntityType[Any], field: Field, n: int) -> object:
    """Return a field's value in the nth entity; the last searched field holds a rare text once."""
    if field.nullable and n % 4:
        return None
    if field is entity_type.searched[-1] and n == RARE:
        return "Ätsch"
    match field.field_type:
        case String():
            return f"{field.name}-{n * 7919 % NUMBER}"
        case EnumField(by_value=by_value):
            return list(by_value)[n % len(by_value)]
        case Date():
            return f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}"
        case Boolean():
            return n % 2 == 0
        case _:
            return n % 50


async def stock(store: PostgresStore, connection: Connection, entity_type: EntityType[Any], clock: Clock) -> None:
    """Create so many entities that indexes pay, and update the planner's statistics."""
    raws = [{field.name: raw(entity_type, field, n) for field in entity_type.writable} for n in range(NUMBER)]
    for start in range(0, NUMBER, 100):
        clock.now += timedelta(seconds=1)
        await carry_out(store, *(create(entity_type, **each) for each in raws[start : start + 100]))
    await carry_out(
        store, *(edit(entity_type, id, **{entity_type.searched[0].name: f"x{id}"}) for id in range(1, NUMBER, 7))
    )
    await connection.execute(f"VACUUM ANALYZE {entity_type.collection}")


async def scans(store: PostgresStore, connection: Connection, query: Query[Any]) -> list[str]:
    """Return how a plan reads the table, and its sort steps."""
    selection = Selection(store._rows[query.entity_type.name], query)
    sql = selection.sql()
    ((text,),) = await connection.fetch(f"EXPLAIN (FORMAT JSON) {sql}", *selection.values)
    return [each for node in _nodes(json.loads(text)[0]["Plan"]) if (each := _told(node, query.entity_type.collection))]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _told(node: dict[str, Any], table: str) -> str:
    if "Sort" in node["Node Type"] and table in node["Sort Key"][0]:
        return f"{node['Node Type']} by {', '.join(node['Sort Key'])}"
    if node.get("Relation Name") == table or node["Node Type"] == "Bitmap Index Scan":
        return f"{node['Node Type']} {node.get('Index Name', '')}".strip()
    return ""


def indexed(entity_type: EntityType[Any], field: Field, *, descending: bool) -> str:
    """Return the planner's plan for a page."""
    if field.name == "id":
        return f"Index Scan {entity_type.collection}_pkey"
    return f"Index Scan {entity_type.collection}_{field.name}_{'down' if descending else 'up'}"


@pytest.mark.parametrize("entity_type", PUBLIC_TYPES, ids=lambda entity_type: entity_type.name)
async def test_every_sort_has_its_index(
    store: PostgresStore, connection: Connection, clock: Clock, entity_type: EntityType[Any]
) -> None:
    """The first page and one in the middle of ties are read in order from an index."""
    await stock(store, connection, entity_type, clock)
    for field in entity_type.fields:
        for descending in (False, True) if field.listed and field.name != "id" else ():
            query = Query(entity_type=entity_type, order=(Order(field, descending=descending),), limit=1000)
            middle = evolve(query, after=(await store.page(query)).next, limit=30)
            expected = {indexed(entity_type, field, descending=descending)}
            assert expected == set(await scans(store, connection, evolve(query, limit=30))), field.name
            expected.add(
                indexed(entity_type, field, descending=False)
            )  # ties are in ascending order of ids in both directions
            assert expected >= set(await scans(store, connection, middle)), field.name


async def test_failed_preconditions_read_few_changes(
    store: PostgresStore, connection: Connection, clock: Clock
) -> None:
    """What changed since a version is found by the entity, however many changes there are."""
    await stock(store, connection, PUBLIC_TYPES[0], clock)
    await connection.execute("ANALYZE changes")
    ((text,),) = await connection.fetch(f"EXPLAIN (FORMAT JSON) {log._SINCE}", "[]")

    read = [_told(node, "changes") for node in _nodes(json.loads(text)[0]["Plan"])]

    assert {"Index Scan changes_of_entity"} == {each for each in read if each}


@pytest.mark.parametrize("entity_type", PUBLIC_TYPES, ids=lambda entity_type: entity_type.name)
async def test_lookups_have_their_index(
    store: PostgresStore, connection: Connection, clock: Clock, entity_type: EntityType[Any]
) -> None:
    """A page by id, an exact text and a rare substring are found without reading the table."""
    await stock(store, connection, entity_type, clock)
    title = entity_type.searched[0]
    exact = Condition(title, Operator.EQ, raw(entity_type, title, 1))
    rare: Query[Any] = Query(entity_type=entity_type, search="äTSCH")
    assert [f"Index Scan {entity_type.collection}_pkey"] == await scans(
        store, connection, Query(entity_type=entity_type, after=(RARE,))
    )
    assert f"Bitmap Index Scan {entity_type.collection}_search" in await scans(store, connection, rare)
    found = await scans(store, connection, Query(entity_type=entity_type, where=(exact,)))
    assert any(f"{entity_type.collection}_{title.name}" in each for each in found), found
    assert [RARE + 1] == [record.id for record in (await store.page(rare)).records]
