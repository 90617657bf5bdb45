"""Adding newly declared fields to entities that were written before."""

import logging
from collections.abc import Iterable, Set
from typing import Any

import apsw

from adapters.sqlite.connections import SchemaTooNew, fetch
from adapters.sqlite.table_mapping import Searched, TableMapping
from domain.entity_type import EntityType
from domain.snapshot import SchemaTooOld
from domain.stored_entity import Serializer

AT_ONCE = 1000
"""How many documents one transaction reads. A limit, so that no other process waits long."""

_log = logging.getLogger("backroom")


def give_declared_fields(connection: apsw.Connection, rows: Iterable[TableMapping], documents: Serializer) -> None:
    """Rewrite every document that lacks a declared field, in the table (with its columns) and in the log.

    A missing field gets its default. Any number of processes may do this at once, and another process finishes the work
    of one that was killed. Raises `SchemaTooNew` where a field would be lost.
    """
    recorded = _recorded(connection)
    for each in rows:
        names = " ".join(each.entity_type.by_name)
        if recorded.get(each.entity_type.name) == names:
            continue
        _check_known(connection, each.entity_type, recorded)
        if each.entity_type.name in recorded:
            _log.info("%s have other fields now: what is stored gets them, once", each.table)
        new = each.entity_type.by_name.keys() - set(recorded.get(each.entity_type.name, "").split())
        _give_to_rows(connection, each, new, documents)
        _give_to_changes(connection, each, documents)
        connection.execute("REPLACE INTO declared_fields VALUES (?, ?)", (each.entity_type.name, names))


def check_declared_fields(connection: apsw.Connection, entity_types: Iterable[EntityType[Any]]) -> None:
    """Check that stored entities have the declared fields; change nothing.

    Raises `SchemaTooNew` and `SchemaTooOld`.
    """
    recorded = _recorded(connection)
    for each in entity_types:
        _check_known(connection, each, recorded)
        if recorded.get(each.name) != " ".join(each.by_name):
            raise SchemaTooOld(f"{connection.filename} has no {each.name} with all its fields: let it be served once")


def _recorded(connection: apsw.Connection) -> dict[str, str]:
    return dict(fetch(connection, "SELECT kind, names FROM declared_fields"))


def _check_known(connection: apsw.Connection, entity_type: EntityType[Any], recorded: dict[str, str]) -> None:
    unknown = set(recorded.get(entity_type.name, "").split()) - set(entity_type.by_name)
    if unknown:
        names = ", ".join(sorted(unknown))
        raise SchemaTooNew(f"{connection.filename} has what this version of backroom does not know: {names}")


def _give_to_rows(connection: apsw.Connection, rows: TableMapping, new: Set[str], documents: Serializer) -> None:
    select = f"SELECT document, search, id FROM {rows.table} WHERE id > ? ORDER BY id LIMIT ?"
    last = 0
    while True:
        with connection:  # the transaction begins by reading, so a writer in between would make it fail
            connection.execute("UPDATE log SET name = name")
            found = fetch(connection, select, (last, AT_ONCE))
            searched: list[Searched] = []
            for document, search, _ in found:
                entity = documents.read(rows.entity_type, document)
                written = documents.write(entity)
                if written != document:
                    searched.append(rows.fill(connection, new, entity, written, was=search))
            rows.reindex(connection, searched)
        if not found:
            return
        last = found[-1][2]


def _give_to_changes(connection: apsw.Connection, rows: TableMapping, documents: Serializer) -> None:
    select = "SELECT number, document FROM changes WHERE number > ? AND kind = ? ORDER BY number LIMIT ?"
    last = 0
    while True:
        with connection:
            connection.execute("UPDATE log SET name = name")
            found = fetch(connection, select, (last, rows.entity_type.name, AT_ONCE))
            new = [
                (written, number)
                for number, document in found
                if document != (written := documents.write(documents.read(rows.entity_type, document)))
            ]
            connection.executemany("UPDATE changes SET document = ? WHERE number = ?", new)
        if not found:
            return
        last = found[-1][0]
