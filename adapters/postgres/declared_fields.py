"""Adding newly declared fields to entities that were written before."""

import logging
from collections.abc import Iterable
from typing import Any

from adapters.postgres.connections import Connection
from adapters.postgres.migrating import SchemaTooNew
from adapters.postgres.table_mapping import TableMapping, json
from domain.entity_type import EntityType
from domain.snapshot import SchemaTooOld
from domain.stored_entity import Serializer

AT_ONCE = 1000
"""How many documents one transaction reads. A limit, so that no other process waits long."""

_log = logging.getLogger("backroom")


async def give_declared_fields(connection: Connection, rows: Iterable[TableMapping], documents: Serializer) -> None:
    """Rewrite every document that lacks a declared field, in the table (with its columns) and in the log.

    A missing field gets its default. Any number of processes may do this at once, and another process finishes the work
    of one that was killed. Raises `SchemaTooNew` where a field would be lost.
    """
    recorded = await _recorded(connection)
    for each in rows:
        names = " ".join(each.entity_type.by_name)
        if recorded.get(each.entity_type.name) == names:
            continue
        _check_known(each.entity_type, recorded)
        if each.entity_type.name in recorded:
            _log.info("%s have other fields now: what is stored gets them, once", each.table)
        await _give_to_rows(connection, each, documents)
        await _give_to_changes(connection, each, documents)
        await connection.execute(
            "INSERT INTO declared_fields VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET names = excluded.names",
            each.entity_type.name,
            names,
        )


async def check_declared_fields(connection: Connection, entity_types: Iterable[EntityType[Any]]) -> None:
    """Check that stored entities have the declared fields; change nothing.

    Raises `SchemaTooNew` and `SchemaTooOld`.
    """
    recorded = await _recorded(connection)
    for each in entity_types:
        _check_known(each, recorded)
        if recorded.get(each.name) != " ".join(each.by_name):
            raise SchemaTooOld(f"the store has no {each.name} with all its fields: let it be served once")


async def _recorded(connection: Connection) -> dict[str, str]:
    return dict(await connection.fetch("SELECT kind, names FROM declared_fields"))


def _check_known(entity_type: EntityType[Any], recorded: dict[str, str]) -> None:
    unknown = set(recorded.get(entity_type.name, "").split()) - set(entity_type.by_name)
    if unknown:
        names = ", ".join(sorted(unknown))
        raise SchemaTooNew(f"the store has what this version of backroom does not know: {names}")


async def _give_to_rows(connection: Connection, rows: TableMapping, documents: Serializer) -> None:
    select = f"SELECT id, document FROM {rows.table} WHERE id > $1 ORDER BY id LIMIT $2 FOR UPDATE"
    update = (
        f"UPDATE {rows.table} SET {', '.join(f'{column} = new.{column}' for column in rows.columns)}"
        f" FROM jsonb_populate_recordset(NULL::{rows.table}, $1::jsonb) AS new WHERE {rows.table}.id = new.id"
    )
    last = 0
    while True:
        async with connection.transaction(isolation="read_committed"):
            found = await connection.fetch(select, last, AT_ONCE)
            entities = [(documents.read(rows.entity_type, document), document) for _, document in found]
            written = [(entity, documents.write(entity), document) for entity, document in entities]
            new = [rows.row(entity, document) for entity, document, before in written if document != before]
            if new:
                await connection.execute(update, json(new))
        if not found:
            return
        last = found[-1]["id"]


async def _give_to_changes(connection: Connection, rows: TableMapping, documents: Serializer) -> None:
    select = (
        "SELECT id, version, document FROM changes WHERE kind = $1 AND (id, version) > ($2, $3)"
        " ORDER BY id, version LIMIT $4 FOR UPDATE"
    )
    update = (
        "UPDATE changes SET document = new.document"
        " FROM jsonb_to_recordset($2::jsonb) AS new(id bigint, version bigint, document text)"
        " WHERE changes.kind = $1 AND (changes.id, changes.version) = (new.id, new.version)"
    )
    last = (0, 0)
    while True:
        async with connection.transaction(isolation="read_committed"):
            found = await connection.fetch(select, rows.entity_type.name, *last, AT_ONCE)
            new = [
                {"id": id, "version": version, "document": written}
                for id, version, document in found
                if document != (written := documents.write(documents.read(rows.entity_type, document)))
            ]
            if new:
                await connection.execute(update, rows.entity_type.name, json(new))
        if not found:
            return
        last = found[-1]["id"], found[-1]["version"]
