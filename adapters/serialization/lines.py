"""Serialization of entities and changes as NDJSON, one on each line."""

from collections.abc import Iterable
from typing import Any

from adapters.serialization.changes import change_document
from domain.changes import Entry
from domain.entity_type import EntityType
from domain.stored_entity import StoredEntity


def lines(records: Iterable[StoredEntity]) -> str:
    """Return the documents of stored entities, each with a line break; no document contains one."""
    return "".join([f"{record.document}\n" for record in records])


def named_lines(entity_type: EntityType[Any], records: Iterable[StoredEntity]) -> str:
    """Return the same for lines of several types: each names its type, in the form of a change."""
    return "".join([f'{{"type":"{entity_type.name}","data":{record.document}}}\n' for record in records])


def change_lines(entries: Iterable[Entry]) -> str:
    """Return the documents of changes, each with a line break."""
    return "".join([f"{change_document(entry)}\n" for entry in entries])
