"""The paths of one kind of entity, declared once for routing, validation and documentation."""

from typing import Any

from attrs import frozen

from backroom.adapters.http.bodies import JSON, MERGE_PATCH
from backroom.adapters.http.bulk import Bulk
from backroom.adapters.http.cursors import ListCursors
from backroom.adapters.http.declarations import Operation, Parameter, Path, Reply, Schema
from backroom.adapters.http.list_query import MAX_SEARCH, ListParameters, filters
from backroom.adapters.http.reading import Reading, as_list, by_id
from backroom.adapters.http.schemas import filter_schema, listing, ref
from backroom.adapters.http.submitting import Submitter
from backroom.adapters.http.writing import Writing
from backroom.domain.kinds import Kind
from backroom.domain.ports import Store
from backroom.domain.product import PRODUCT
from backroom.domain.queries import DEFAULT_LIMIT, MAX_LIMIT
from backroom.domain.stock import CHANGE

_BODY = ("malformed_json", "body_too_large", "unsupported_media_type", "invalid", "timeout")
_WRITE = ("bad_header", "bad_origin", "idempotency_key_in_flight", "idempotency_key_reused", "storage_full")
_CHANGE = ("not_found", "invalid", "precondition_failed", "precondition_required", *_WRITE)
_KEPT = ("Idempotency-Replayed", "Preference-Applied")

_LIMIT = Parameter(
    name="limit",
    place="query",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
_CURSOR = Parameter(name="cursor", place="query", schema={"type": "string"}, description="From `next`; opaque.")
_ID = Parameter(name="id", place="path", schema={"type": "integer", "minimum": 1, "maximum": 10**19 - 1})
_IF_NONE_MATCH = Parameter(name="If-None-Match", place="header", schema={"type": "string"})
_IF_MATCH = Parameter(
    name="If-Match",
    place="header",
    schema={"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'},
    description='The version that is meant: `"7"`, or `*`.',
)
_KEY = Parameter(
    name="Idempotency-Key",
    place="header",
    schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    description="The same key and request give the first answer again, for 24 hours.",
)
_PREFER = Parameter(
    name="Prefer", place="header", schema={"type": "string"}, description="`validate-only` stores nothing (RFC 7240)."
)
_SUBMITTED = (_KEY, _PREFER)


@frozen(kw_only=True, eq=False)
class Parts:
    """What the operations of every kind are made with."""

    store: Store
    cursors: ListCursors
    max_body: int
    require_if_match: bool


def paths(kind: Kind[Any], parts: Parts) -> list[Path]:
    """Return the paths of a kind."""
    submitter = Submitter(parts.store)
    listed = ListParameters(kind, parts.cursors)
    envelope = by_id if kind is PRODUCT else as_list
    reading = Reading(kind=kind, store=parts.store, cursors=parts.cursors, listed=listed, envelope=envelope)
    writing = Writing(kind=kind, submitter=submitter, max_body=parts.max_body, require_if_match=parts.require_if_match)
    bulk = Bulk(kind=kind, submitter=submitter, max_body=parts.max_body, require_if_match=parts.require_if_match)
    declared = _Declared(kind, reading, writing, bulk)
    found = [declared.entity(), declared.collection(), declared.restore(), declared.history(), declared.bulk()]
    return [*found, declared.stock()] if kind is PRODUCT else found


@frozen(eq=False)
class _Declared:
    kind: Kind[Any]
    reading: Reading
    writing: Writing
    bulk_: Bulk

    @property
    def _name(self) -> str:
        return self.kind.entity.__name__

    @property
    def _unique(self) -> tuple[str, ...]:
        return ("already_exists",) if self.kind.unique else ()

    def _operation(self, verb: str, summary: str, **facts: Any) -> Operation:
        return Operation(name=f"{verb}{self._name}", summary=summary, tags=(self.kind.collection,), **facts)

    def entity(self) -> Path:
        name, kind = self._name, self.kind.name
        shown = Reply(description=f"The {kind}.", schema=ref(name), headers=("ETag",))
        after = Reply(description=f"The {kind} after the change.", schema=ref(name), headers=("ETag", *_KEPT))
        gone: Schema = {"type": "object", "properties": {"deleted": ref(name)}, "required": ["deleted"]}
        edit = {
            "handler": self.writing.edit,
            "replies": {200: after},
            "parameters": (_ID, _IF_MATCH, *_SUBMITTED),
            "takes": ref(f"{name}Edit"),
            "problems": (*_CHANGE, *_BODY, *self._unique),
        }
        return Path(
            template=f"/{self.kind.collection}/{{id}}",
            operations={
                "GET": self._operation(
                    "get",
                    f"Read a {kind}",
                    handler=self.reading.one,
                    replies={200: shown, 304: Reply(description="The client has it.", headers=("ETag",))},
                    parameters=(_ID, _IF_NONE_MATCH),
                    problems=("not_found", "invalid"),
                ),
                "PUT": self._operation("put", f"Set fields of a {kind}; those not sent stay as they are", **edit),
                "PATCH": self._operation("patch", f"Patch a {kind} (RFC 7396)", body_types=(MERGE_PATCH, JSON), **edit),
                "DELETE": self._operation(
                    "delete",
                    f"Delete a {kind}",
                    handler=self.writing.delete,
                    replies={200: Reply(description="As it was deleted.", schema=gone, headers=_KEPT)},
                    parameters=(_ID, _IF_MATCH, *_SUBMITTED),
                    problems=(*_CHANGE, "body_too_large", "timeout"),
                ),
            },
        )

    def collection(self) -> Path:
        name, collection = self._name, self.kind.collection
        created = Reply(description="It exists.", schema=ref(name), headers=("ETag", "Location", *_KEPT))
        return Path(
            template=f"/{collection}",
            operations={
                "GET": self._operation(
                    "list",
                    f"List {collection}",
                    handler=self.reading.page,
                    replies={
                        200: Reply(description="A page.", schema=self._listing(), headers=("ETag", "Link")),
                        304: Reply(description="Nothing in the collection changed.", headers=("ETag",)),
                    },
                    parameters=(*self._list_parameters(), _IF_NONE_MATCH),
                    problems=("bad_cursor", "invalid"),
                ),
                "POST": self._operation(
                    "create",
                    f"Create a {self.kind.name}",
                    handler=self.writing.create,
                    replies={201: created},
                    parameters=_SUBMITTED,
                    takes=ref(f"{name}Create"),
                    problems=(*_BODY, *_WRITE, *self._unique),
                ),
            },
        )

    def _listing(self) -> Schema:
        entity, collection = ref(self._name), self.kind.collection
        if self.reading.envelope is by_id:
            ids = {"type": "array", "items": {"type": "integer"}}
            return listing({collection: {"type": "object", "additionalProperties": entity}, "ids": ids})
        return listing({collection: {"type": "array", "items": entity}})

    def _list_parameters(self) -> tuple[Parameter, ...]:
        def query(name: str, schema: Schema, description: str = "") -> Parameter:
            return Parameter(name=name, place="query", schema=schema, description=description)

        return (
            _LIMIT,
            _CURSOR,
            query("sort", _sortable(self.kind), "Fields; a minus sign in front of one: descending."),
            query("q", {"type": "string", "maxLength": MAX_SEARCH}, "A substring, whatever its case or width."),
            query("total", {"type": "boolean"}, "Count every match."),
            *(query(name, filter_schema(field, operator)) for name, field, operator in filters(self.kind)),
        )

    def restore(self) -> Path:
        restored = Reply(description="It is back.", schema=ref(self._name), headers=("ETag", *_KEPT))
        operation = self._operation(
            "restore",
            f"Bring a deleted {self.kind.name} back",
            handler=self.writing.restore,
            replies={200: restored},
            parameters=(_ID, _IF_MATCH, *_SUBMITTED),
            problems=(*_CHANGE, "not_deleted", "body_too_large", "timeout", *self._unique),
        )
        return Path(template=f"/{self.kind.collection}/{{id}}/restore", operations={"POST": operation})

    def history(self) -> Path:
        change = {"type": "array", "items": ref(f"{self._name}Change")}
        schema: Schema = {
            "type": "object",
            "properties": {"history": change, "next": {"type": ["string", "null"]}},
            "required": ["history", "next"],
            "additionalProperties": False,
        }
        operation = self._operation(
            "history",
            f"What happened to a {self.kind.name}, oldest first",
            handler=self.reading.history,
            replies={200: Reply(description="Its changes.", schema=schema)},
            parameters=(_ID, _LIMIT, _CURSOR),
            problems=("not_found", "bad_cursor", "invalid"),
        )
        return Path(template=f"/{self.kind.collection}/{{id}}/history", operations={"GET": operation})

    def bulk(self) -> Path:
        result: Schema = {
            "type": "object",
            "properties": {"status": {"type": "integer"}, "body": {"type": "object"}},
            "required": ["status", "body"],
            "additionalProperties": False,
        }
        schema: Schema = {
            "type": "object",
            "properties": {"results": {"type": "array", "items": result}},
            "required": ["results"],
            "additionalProperties": False,
        }
        operation = self._operation(
            "bulk",
            f"Many operations on {self.kind.collection} at once",
            handler=self.bulk_.apply,
            replies={
                200: Reply(description="All of them.", schema=schema, headers=_KEPT),
                207: Reply(description="Each for itself.", schema=schema, headers=_KEPT),
            },
            parameters=_SUBMITTED,
            takes=ref(f"{self._name}Bulk"),
            problems=(*_BODY, *_WRITE, "not_found", "precondition_failed", *self._unique),
        )
        return Path(template=f"/{self.kind.collection}/bulk", operations={"POST": operation})

    def stock(self) -> Path:
        change = {"type": "integer", "minimum": CHANGE.least, "maximum": CHANGE.most}
        operation = self._operation(
            "adjustStockOf",
            "Add to the stock of a product, or take from it",
            handler=self.writing.stock,
            replies={200: Reply(description="The product.", schema=ref(self._name), headers=("ETag", *_KEPT))},
            parameters=(_ID, _IF_MATCH, *_SUBMITTED),
            takes={
                "type": "object",
                "properties": {"change": change},
                "required": ["change"],
                "additionalProperties": False,
            },
            problems=(*_CHANGE, *_BODY, "insufficient_stock", "stock_not_tracked"),
        )
        return Path(template=f"/{self.kind.collection}/{{id}}/stock", operations={"POST": operation})


def _sortable(kind: Kind[Any]) -> Schema:
    names = [sign + field.name for field in kind.fields if field.listed for sign in ("", "-")]
    return {"type": "array", "items": {"enum": names}, "minItems": 1}
