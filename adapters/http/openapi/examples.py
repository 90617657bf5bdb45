"""Examples of requests and of their answers. The domain makes them, so they are what the service answers.

They tell of the first entity of a type: it is created, edited, deleted and restored.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from attrs import define, field

from adapters.serialization.changes import change_document
from adapters.serialization.entities import JsonSerializer, extended
from adapters.serialization.strict_json import parse_object
from adapters.serialization.tables import CsvTable
from adapters.serialization.times import timestamp
from domain.changes import Action, Change, Cursor, Entry, differing
from domain.entity_type import Entity, EntityType, Values
from domain.parsing import from_json
from domain.stored_entity import StoredEntity, stored

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
TIME = timestamp(AT)
ORIGIN = "http://127.0.0.1:8000"
REQUEST_ID = "6f1d20c5a3e94b7d0000000000000001"
SECRET = f"whsec_{'0' * 43}="
SOLD = {"change": -2, "reason": "sold"}

Document = dict[str, Any]
Envelope = Callable[[EntityType[Any], Sequence[StoredEntity]], str]


def cursor(number: int) -> Cursor:
    """Return a position in the log."""
    return Cursor(f"7d41c0a2b9e8f536-{number}")


@define(eq=False)
class Examples:
    """The examples of one entity type."""

    entity_type: EntityType[Any]
    serializer: JsonSerializer = field(init=False)
    created: Any = field(init=False)
    edited: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.serializer = JsonSerializer((self.entity_type,))
        self.created = self._created(1)
        self.edited = self.created.apply(self._values(self.entity_type.example_edit, whole=False), at=AT)

    def shown(self, entity: Entity, **more: str) -> Document:
        """Return an entity as a response shows it, with `more` behind its fields."""
        return _parsed(self._stored(entity, **more).document)

    def gone(self) -> Document:
        """Return the response to a deletion."""
        return {"deleted": self.shown(self.created.delete(at=AT).entity)}

    def restored(self) -> Document:
        """Return the response to a restore."""
        return self.shown(self.created.delete(at=AT).restore(at=AT))

    def page(self, envelope: Envelope, *, followed: bool) -> Document:
        """Return a page with one entity."""
        shown = _parsed(f"{{{envelope(self.entity_type, [self._stored(self.created)])}}}")
        url = f"/changes?after={cursor(1)}&types={','.join(self.entity_type.change_types)}"
        return {**shown, "count": 1, "next": None, **({"changes": url} if followed else {})}

    def texts(self) -> dict[str, str]:
        """Return the same page in the text formats, by media type."""
        table, record = CsvTable(self.entity_type), stored(self.created, self.serializer)
        return {"text/csv": f"{table.header}{table.rows([record])}", "application/x-ndjson": f"{record.document}\n"}

    def history(self) -> Document:
        """Return the changes of the entity, once it was created and edited."""
        return {"history": [self.creation(), self._change(2, Action.UPDATED, self.created, self.edited)], "next": None}

    def creation(self) -> Document:
        """Return the change that created the entity."""
        return self._change(1, Action.CREATED, None, self.created)

    def bulk(self) -> Document:
        """Return a request with several operations."""
        first = "upsert" if self.entity_type.unique else "create"
        operations = [
            {"op": first, "body": dict(self.entity_type.example)},
            {"op": "update", "id": 1, "body": dict(self.entity_type.example_edit)},
            *([{"op": "stock", "id": 1, **SOLD}] if self.entity_type.stocked else []),
        ]
        return {"operations": operations}

    def results(self) -> Document:
        """Return the response to this request, where the entity exists already."""
        first = (200, self.created) if self.entity_type.unique else (201, self._created(2))
        results = [first, (200, self.edited), *([(200, self.sold())] if self.entity_type.stocked else [])]
        return {"results": [{"status": status, "body": self.shown(entity)} for status, entity in results]}

    def table(self) -> Document:
        """Return a request that imports a table of one row, which edits the entity if it can be found."""
        row = {**self.entity_type.example, **self.entity_type.example_edit}
        text = f"{','.join(row)}\r\n{','.join(map(str, row.values()))}\r\n"
        unique = self.entity_type.unique
        return {"text": text, **({"match": unique[0].name, "update": True} if unique else {})}

    def imported(self) -> Document:
        """Return the response to this request, where the entity exists already."""
        header, cells = (line.split(",") for line in self.table()["text"].splitlines())
        row, unique = dict(zip(header, cells, strict=True)), [each.name for each in self.entity_type.unique]
        return {
            "rows": 1,
            "created": 0 if unique else 1,
            "updated": 1 if unique else 0,
            "unchanged": 0,
            "refused": 0,
            "errors": [],
            "omitted": 0,
            "header": ",".join(header),
            "titles": header,
            "first": [cells],
            "keys": [{"line": 2, "field": name, "value": row[name]} for name in unique],
            "next_line": None,
        }

    def sold(self, before: Any = None) -> Any:
        """Return the entity with less stock, by default the edited one."""
        return (before or self.edited).adjust_stock(SOLD["change"], at=AT)

    def _created(self, id: int) -> Any:
        return self.entity_type.entity.of(self._values(self.entity_type.example, whole=True), id=id, at=AT)

    def _values(self, example: Mapping[str, object], *, whole: bool) -> Values:
        """Read the values as from a request."""
        return self.entity_type.check(parse_object(orjson.dumps(example).decode()), whole=whole, parse=from_json)

    def _stored(self, entity: Entity, **more: str) -> StoredEntity:
        record = stored(entity, self.serializer)
        for name, value in ({"cursor": cursor(1), **more} if self.entity_type.subscribes else more).items():
            record = record._replace(document=extended(record.document, name, value))
        return record

    def _change(self, number: int, action: Action, before: Any, after: Any) -> Document:
        change = Change(
            entity_type=self.entity_type,
            action=action,
            record=stored(after, self.serializer),
            changed=self.entity_type.writable_names if before is None else differing(before, after),
            at=AT,
            request_id=REQUEST_ID,
        )
        return _parsed(change_document(Entry(cursor=cursor(number), change=change)))


def _parsed(document: str) -> Document:
    parsed: Document = orjson.loads(document)
    return parsed
