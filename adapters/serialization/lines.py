"""How entities are written one on each line (NDJSON)."""

from collections.abc import Iterable

from domain.stored_entity import StoredEntity


def lines(records: Iterable[StoredEntity]) -> str:
    """Return the documents of stored entities, each with its end of line; no document holds a line break."""
    return "".join([f"{record.document}\n" for record in records])
