"""What is exported and imported again has the same values, in every format."""

import io
from collections.abc import Iterable
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.store import MemoryStore
from adapters.serialization.cells import CellParser
from adapters.serialization.exports import CsvExport, ExportFormat, NdjsonExport
from adapters.serialization.line_rows import LineRows
from adapters.serialization.table_rows import TableRows
from adapters.serialization.text_lines import TextLines
from domain.columns import read_columns
from domain.commands import Create
from domain.entity_type import EntityType
from domain.parsing import from_json
from domain.public_types import PUBLIC_TYPES
from domain.rows import Row, RowRules
from domain.use_cases.export import Selection, export
from domain.use_cases.import_rows import ImportPlan, blocks, write_block
from tests.builders import SERIALIZER, Clock, batch
from tests.properties.strategies import entities

FORMATS = ["csv", "ndjson", "named"]


async def exported(store: MemoryStore, entity_type: EntityType[Any], format: str) -> str:
    """Return all entities of a type in a format."""
    form: ExportFormat = CsvExport(entity_type) if format == "csv" else NdjsonExport(named=format == "named")
    parts = export(store.snapshot(), Selection(entity_types=(entity_type,)), lambda *_: None)
    return form.head + "".join([form.write(part) async for part in parts])


def rows(text: str, entity_type: EntityType[Any], format: str) -> Iterable[Row]:
    """Return the rows of such a text."""
    lines = TextLines(io.StringIO(text, newline=""), "utf-8")
    if format != "csv":
        return LineRows(lines, entity_type, {})
    return TableRows(lines, ",", lambda header: read_columns(entity_type, header, {}, []))


async def imported(text: str, entity_type: EntityType[Any], format: str) -> MemoryStore:
    """Return a new store into which a text was imported."""
    store = MemoryStore(Clock(), SERIALIZER)
    parse = CellParser() if format == "csv" else from_json
    plan = ImportPlan(rules=RowRules(entity_type=entity_type), parse=parse, name="x", columns={})
    for block in blocks(rows(text, entity_type, format), plan):
        assert () == (await write_block(store, block, plan)).refused
    return store


def distinct(some: list[Any], entity_type: EntityType[Any]) -> list[Any]:
    """Return the entities without those that share a unique value with an earlier one."""
    kept: list[Any] = []
    for each in some:
        values = [(field.name, getattr(each, field.name)) for field in entity_type.unique]
        taken = {(field.name, getattr(other, field.name)) for other in kept for field in entity_type.unique}
        if not any(value is not None and (name, value) in taken for name, value in values):
            kept.append(each)
    return kept


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("entity_type", PUBLIC_TYPES, ids=repr)
@given(data=st.data())
def test_there_and_back(entity_type: EntityType[Any], format: str, data: st.DataObject) -> None:
    """Exported, imported into an empty store and exported again, all is the same: ids, values and their order."""
    some = distinct(data.draw(st.lists(entities(entity_type), max_size=4)), entity_type)

    async def there_and_back() -> tuple[str, str]:
        store = MemoryStore(Clock(), SERIALIZER)
        writable = ({name: getattr(each, name) for name in entity_type.writable_names} for each in some)
        await store.submit(batch(*(Create(entity_type=entity_type, values=values) for values in writable)))
        first = await exported(store, entity_type, format)
        return first, await exported(await imported(first, entity_type, format), entity_type, format)

    first, second = anyio.run(there_and_back)
    assert first == second
