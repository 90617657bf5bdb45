"""Reading: one entity, a page of a collection, the history of an entity."""

from collections.abc import Callable
from typing import Any

from attrs import frozen

from backroom.adapters.http.answers import Answer, json_answer
from backroom.adapters.http.call import Call
from backroom.adapters.http.cursors import ListCursors
from backroom.adapters.http.list_query import ListParameters
from backroom.adapters.http.parameters import identifier, parse, url, whole
from backroom.adapters.http.refusals import BadParameter
from backroom.adapters.http.tags import none_match, tag
from backroom.adapters.http.wire import change_document, document
from backroom.domain.kinds import Kind
from backroom.domain.ports import Store
from backroom.domain.queries import DEFAULT_LIMIT, MAX_LIMIT, Page
from backroom.domain.usecases import find, history

HISTORY_PARAMETERS = ("limit", "cursor")


@frozen(kw_only=True, eq=False)
class Reading:
    """The operations that read one kind of entity."""

    kind: Kind[Any]
    store: Store
    cursors: ListCursors
    listed: ListParameters
    envelope: Callable[[Kind[Any], list[dict[str, Any]]], dict[str, Any]]

    async def one(self, call: Call) -> Answer:
        """Answer with an entity, or with 304 where the client has it."""
        entity = await find(self.store, self.kind, identifier(call))
        etag = (b"etag", tag(entity.version))
        known = call.header(b"if-none-match")
        if known is not None and not none_match(known, str(entity.version)):
            return Answer(status=304, headers=(etag,))
        return json_answer(document(self.kind, entity), etag)

    async def page(self, call: Call) -> Answer:
        """Answer with a page of the collection."""
        parameters = parse(call, self.listed.names)
        query = self.listed.query(parameters)
        page = await self.store.page(query)
        etag = (b"etag", b'W/"%s"' % page.revision.encode())
        known = call.header(b"if-none-match")
        if known is not None and not none_match(known, page.revision):
            return Answer(status=304, headers=(etag,))
        following = None if page.next is None else self._following(parameters, self.cursors.write(query, page.next))
        link = () if following is None else ((b"link", b'<%s>; rel="next"' % following.encode()),)
        return json_answer(self._document(page, following), etag, *link)

    async def history(self, call: Call) -> Answer:
        """Answer with what happened to an entity, oldest first."""
        id = identifier(call)
        parameters = parse(call, HISTORY_PARAMETERS)
        limit = whole(parameters, "limit", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT)
        after = self._version(parameters.get("cursor", "v0"))
        entries = await history(self.store, self.store, self.kind, id, after=after, limit=limit + 1)
        shown = entries[:limit]
        following = None
        if len(entries) > limit:
            version = shown[-1].change.entity.version
            following = url(call.path, {**parameters, "cursor": f"v{version}"})
        return json_answer({"history": [change_document(each) for each in shown], "next": following})

    def _version(self, cursor: str) -> int:
        if not (cursor[:1] == "v" and cursor[1:].isascii() and cursor[1:].isdigit() and len(cursor) < 20):
            raise BadParameter("cursor is none of this history")
        return int(cursor[1:])

    def _following(self, parameters: dict[str, str], cursor: str) -> str:
        return url(f"/{self.kind.collection}", {**parameters, "cursor": cursor})

    def _document(self, page: Page[Any], following: str | None) -> dict[str, Any]:
        types = ",".join(f"{self.kind.name}.{action}" for action in ("created", "updated", "deleted"))
        total = {} if page.total is None else {"total": page.total}
        return {
            **self.envelope(self.kind, [document(self.kind, entity) for entity in page.entities]),
            "count": len(page.entities),
            **total,
            "next": following,
            "changes": url("/changes", {"after": page.changes, "types": types}),
        }


def as_list(kind: Kind[Any], documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Show a collection as a list."""
    return {kind.collection: documents}


def by_id(kind: Kind[Any], documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Show a collection as an object by id, with the ids beside it because objects have no order."""
    ids = [each["id"] for each in documents]
    return {kind.collection: {str(id): each for id, each in zip(ids, documents, strict=True)}, "ids": ids}
