"""Serialization of entities as NDJSON, one on each line."""

from collections.abc import Iterable

from domain.stored_entity import StoredEntity


def lines(records: Iterable[StoredEntity]) -> str:
    """Return the documents of stored entities, each with a line break; no document contains one."""
    return "".join([f"{record.document}\n" for record in records])
