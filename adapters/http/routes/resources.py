"""The paths of one entity type, declared once for routing, validation and documentation."""

from typing import Any

from attrs import field, frozen

from adapters.http.handlers.bulk import Bulk
from adapters.http.handlers.importing import Importing, matches
from adapters.http.handlers.reading import TEXTS, Reading, as_list, by_id
from adapters.http.handlers.submitting import Submitter
from adapters.http.handlers.writing import Writing
from adapters.http.openapi.declarations import Operation, Parameter, Path, Reply, Schema
from adapters.http.openapi.examples import SECRET, SOLD, Examples
from adapters.http.openapi.import_schemas import IMPORT_SCHEMAS, import_schema
from adapters.http.openapi.operation_parts import (
    BODY,
    CHANGE,
    CURSOR,
    ID,
    IF_MATCH,
    KEPT,
    LIMIT,
    SUBMITTED,
    WRITE,
)
from adapters.http.openapi.patterns import LINES
from adapters.http.openapi.schemas import STOCK, filter_schema, listing, object_schema, ref
from adapters.http.requests.bodies import JSON, MERGE_PATCH
from adapters.http.requests.cursors import ListCursors
from adapters.http.requests.list_query import MAX_SEARCH, ListParameters
from adapters.http.responses.caching import PRIVATE
from domain.access.scopes import AccessScope
from domain.deliveries import WebhookDispatcher
from domain.entity_type import EntityType
from domain.filters import filters
from domain.ports import Store
from domain.public_types import PUBLIC_TYPES


@frozen(kw_only=True, eq=False)
class Parts:
    """What the operations of every entity type need."""

    store: Store
    dispatcher: WebhookDispatcher
    cursors: ListCursors
    max_body: int
    require_if_match: bool


def paths(entity_type: EntityType[Any], parts: Parts) -> list[Path]:
    """Return the paths of a public entity type."""
    submitter = Submitter(parts.dispatcher)
    listed = ListParameters(entity_type, parts.cursors)
    envelope = by_id if entity_type.keyed else as_list
    reading = Reading(
        entity_type=entity_type,
        reader=parts.store,
        log=parts.store,
        cursors=parts.cursors,
        listed=listed,
        envelope=envelope,
        texts=TEXTS,
    )
    writing = Writing(
        entity_type=entity_type,
        writer=parts.store,
        submitter=submitter,
        max_body=parts.max_body,
        require_if_match=parts.require_if_match,
    )
    bulk = Bulk(
        entity_type=entity_type,
        writer=parts.store,
        submitter=submitter,
        max_body=parts.max_body,
        require_if_match=parts.require_if_match,
    )
    importing = Importing(
        entity_type=entity_type,
        writer=parts.store,
        submitter=submitter,
        max_body=parts.max_body,
        require_if_match=parts.require_if_match,
    )
    declared = Declared(entity_type, reading, writing)
    many = [declared.bulk(bulk), declared.importing(importing)]
    return [*declared.paths(), *many, *([declared.stock()] if entity_type.stocked else [])]


_READS = ("get", "list", "history")


_OF_BULK: dict[str, Schema] = {
    "BulkResults": object_schema({"results": {"type": "array", "items": ref("BulkResult")}}, ["results"]),
    "BulkResult": object_schema({"status": {"type": "integer"}, "body": {"type": "object"}}, ["status", "body"]),
}
"""The components that bulks of all types share."""

_OF_MANY = ("list", "bulk", "import")


@frozen(eq=False)
class Declared:
    """The paths that every entity type has, and those that only some have."""

    entity_type: EntityType[Any]
    reading: Reading
    writing: Writing
    reads: AccessScope = AccessScope.READ
    writes: AccessScope = AccessScope.WRITE
    examples: Examples = field(init=False)

    @examples.default
    def _examples(self) -> Examples:
        return Examples(self.entity_type)

    @property
    def _name(self) -> str:
        return self.entity_type.entity.__name__

    @property
    def _unique(self) -> tuple[str, ...]:
        return ("already_exists",) if self.entity_type.unique else ()

    def _operation(self, verb: str, summary: str, **facts: Any) -> Operation:
        scope = self.reads if verb in _READS else self.writes
        many = "s" if verb in _OF_MANY else ""
        name, tags = f"{verb}{self._name}{many}", (self.entity_type.collection,)
        return Operation(name=name, summary=summary, scope=scope, tags=tags, **facts)

    def paths(self) -> list[Path]:
        """Return the paths that every entity type has."""
        return [self._collection(), self._entity(), self._restore(), self._history()]

    def _entity(self) -> Path:
        name, entity_type = self._name, self.entity_type.name
        examples = self.examples
        shown = Reply(description=f"The {entity_type}.", schema=ref(name), example=examples.shown(examples.created))
        after = Reply(
            description=f"The {entity_type} after the change.",
            schema=ref(name),
            example=examples.shown(examples.edited),
            headers=("ETag", *KEPT),
        )
        gone: Schema = {"type": "object", "properties": {"deleted": ref(name)}, "required": ["deleted"]}
        deleted = Reply(
            description="As it was deleted.", schema=ref(f"Deleted{name}"), example=examples.gone(), headers=KEPT
        )
        edit = {
            "handler": self.writing.edit,
            "replies": {200: after},
            "parameters": (ID, IF_MATCH, *SUBMITTED),
            "takes": ref(f"{name}Edit"),
            "example": self.entity_type.example_edit,
            "problems": (*CHANGE, *BODY, *self._unique),
        }
        return Path(
            template=f"/{self.entity_type.collection}/{{id}}",
            operations={
                "GET": self._operation(
                    "get",
                    f"Read a {entity_type}",
                    handler=self.reading.one,
                    replies={200: shown},
                    parameters=(ID,),
                    problems=("not_found", "invalid"),
                    caching=PRIVATE,
                    is_point_read=True,
                ),
                "PUT": self._operation(
                    "put", f"Set fields of a {entity_type}; those not sent stay as they are", **edit
                ),
                "PATCH": self._operation(
                    "patch", f"Patch a {entity_type} (RFC 7396)", body_types=(MERGE_PATCH, JSON), **edit
                ),
                "DELETE": self._operation(
                    "delete",
                    f"Delete a {entity_type}",
                    handler=self.writing.delete,
                    replies={200: deleted},
                    parameters=(ID, IF_MATCH, *SUBMITTED),
                    problems=(*CHANGE, "body_too_large", "timeout"),
                ),
            },
            schemas={f"Deleted{name}": gone},
        )

    def _collection(self) -> Path:
        name, collection = self._name, self.entity_type.collection
        shown, more = (ref(f"{name}Created"), {"secret": SECRET}) if self.entity_type.subscribes else (ref(name), {})
        created = Reply(
            description="It exists.",
            schema=shown,
            example=self.examples.shown(self.examples.created, **more),
            headers=("ETag", "Location", *KEPT),
        )
        return Path(
            template=f"/{collection}",
            operations={
                "GET": self._operation(
                    "list",
                    f"List {collection}",
                    handler=self.reading.page,
                    replies={200: self._page()},
                    parameters=self._list_parameters(),
                    problems=("bad_cursor", "invalid"),
                    caching=PRIVATE,
                ),
                "POST": self._operation(
                    "create",
                    f"Create a {self.entity_type.name}",
                    handler=self.writing.create,
                    replies={201: created},
                    parameters=SUBMITTED,
                    takes=ref(f"{name}Create"),
                    example=self.entity_type.example,
                    problems=(*BODY, *WRITE, *self._unique),
                ),
            },
            schemas={f"{name}Page": self._listing()},
        )

    def _page(self) -> Reply:
        followed = self.entity_type in PUBLIC_TYPES
        return Reply(
            description="A page.",
            schema=ref(f"{self._name}Page"),
            example=self.examples.page(self.reading.envelope, followed=followed),
            also=self.examples.texts() if self.reading.texts else {},
            headers=("Link",),
        )

    def _listing(self) -> Schema:
        entity, collection = ref(self._name), self.entity_type.collection
        if self.reading.envelope is by_id:
            ids = {"type": "array", "items": {"type": "integer"}}
            return listing({collection: {"type": "object", "additionalProperties": entity}, "ids": ids}, followed=True)
        return listing({collection: {"type": "array", "items": entity}}, followed=self.entity_type in PUBLIC_TYPES)

    def _list_parameters(self) -> tuple[Parameter, ...]:
        def query(name: str, schema: Schema, description: str = "") -> Parameter:
            return Parameter(name=name, location="query", schema=schema, description=description)

        return (
            LIMIT,
            CURSOR,
            query("sort", _sortable(self.entity_type), "Fields; a minus sign in front of one: descending."),
            query(
                "q",
                {"type": "string", "maxLength": MAX_SEARCH, "pattern": LINES},
                "A substring, whatever its case, width or diacritics.",
            ),
            query("total", {"type": "boolean"}, "Count every match."),
            *(
                query(name, filter_schema(field, operator, self._name))
                for name, field, operator in filters(self.entity_type)
            ),
        )

    def _restore(self) -> Path:
        restored = Reply(
            description="It is back.",
            schema=ref(self._name),
            example=self.examples.restored(),
            headers=("ETag", *KEPT),
        )
        operation = self._operation(
            "restore",
            f"Bring a deleted {self.entity_type.name} back",
            handler=self.writing.restore,
            replies={200: restored},
            parameters=(ID, IF_MATCH, *SUBMITTED),
            problems=(*CHANGE, "not_deleted", "body_too_large", "timeout", *self._unique),
        )
        return Path(template=f"/{self.entity_type.collection}/{{id}}/restore", operations={"POST": operation})

    def _history(self) -> Path:
        change = {"type": "array", "items": ref(f"{self._name}Change")}
        name = f"{self._name}History"
        schema = object_schema({"history": change, "next": {"type": ["string", "null"]}}, ["history", "next"])
        operation = self._operation(
            "history",
            f"What happened to a {self.entity_type.name}, oldest first",
            handler=self.reading.history,
            replies={200: Reply(description="Its changes.", schema=ref(name), example=self.examples.history())},
            parameters=(ID, LIMIT, CURSOR),
            problems=("not_found", "bad_cursor", "invalid"),
            caching=PRIVATE,
        )
        return Path(
            template=f"/{self.entity_type.collection}/{{id}}/history",
            operations={"GET": operation},
            schemas={name: schema},
        )

    def bulk(self, bulk: Bulk) -> Path:
        """Return the path of bulk operations."""
        results, example = ref("BulkResults"), self.examples.results()
        of_stock = ("insufficient_stock", "stock_not_tracked") if self.entity_type.stocked else ()
        operation = self._operation(
            "bulk",
            f"Many operations on {self.entity_type.collection} at once",
            handler=bulk.apply,
            replies={
                200: Reply(description="All of them.", schema=results, example=example, headers=KEPT),
                207: Reply(description="Each for itself.", schema=results, example=example, headers=KEPT),
            },
            parameters=SUBMITTED,
            takes=ref(f"{self._name}Bulk"),
            example=self.examples.bulk(),
            problems=(*BODY, *CHANGE, "not_deleted", *self._unique, *of_stock),
        )
        return Path(template=f"/{self.entity_type.collection}/bulk", operations={"POST": operation}, schemas=_OF_BULK)

    def importing(self, importing: Importing) -> Path:
        """Return the path of imports."""
        name = f"{self._name}Import"
        imported = Reply(
            description="What became of the rows, or would. If some are refused, nothing is stored unless it goes on.",
            schema=ref("ImportReport"),
            example=self.examples.imported(),
            headers=KEPT,
        )
        operation = self._operation(
            "import",
            f"Import rows of a table (CSV) into {self.entity_type.collection}",
            handler=importing.apply,
            replies={200: imported},
            parameters=SUBMITTED,
            takes=ref(name),
            example=self.examples.table(),
            problems=(*BODY, *WRITE),
        )
        return Path(
            template=f"/{self.entity_type.collection}/import",
            operations={"POST": operation},
            schemas={name: import_schema(matches(self.entity_type)), **IMPORT_SCHEMAS},
        )

    def stock(self) -> Path:
        """Return the path of stock adjustments."""
        left = self.examples.shown(self.examples.sold(self.examples.created))
        operation = self._operation(
            "adjustStockOf",
            "Add to the stock of a product, or take from it",
            handler=self.writing.stock,
            replies={
                200: Reply(description="The product.", schema=ref(self._name), example=left, headers=("ETag", *KEPT))
            },
            parameters=(ID, IF_MATCH, *SUBMITTED),
            takes=ref("StockChange"),
            example=SOLD,
            problems=(*CHANGE, *BODY, "insufficient_stock", "stock_not_tracked"),
        )
        return Path(
            template=f"/{self.entity_type.collection}/{{id}}/stock",
            operations={"POST": operation},
            schemas={"StockChange": object_schema(STOCK, ["change"])},
        )


_WAYS = {"": "", "-": "_descending"}


def _sortable(entity_type: EntityType[Any]) -> Schema:
    fields = [field.name for field in entity_type.fields if field.listed]
    orders = {sign + field: field + way for field in fields for sign, way in _WAYS.items()}
    items = {"enum": [*orders], "x-enum-varnames": [*orders.values()]}  # generators make no name of a minus sign
    return {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}
