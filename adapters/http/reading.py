"""Reading: one entity, a page of a collection, the history of an entity."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from attrs import frozen

from adapters.http.answers import Answer, json_text
from adapters.http.call import Call
from adapters.http.cursors import ListCursors
from adapters.http.list_query import ListParameters
from adapters.http.parameters import following, identifier, parse, whole
from adapters.http.tags import none_match, tag
from adapters.http.wire import change_document
from domain.errors import BadCursor
from domain.kinds import Kind
from domain.ports import ChangeLog, Reader
from domain.published import PUBLISHED
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT, Page
from domain.records import Record
from domain.usecases import find, history

HISTORY_PARAMETERS = ("limit", "cursor")


@frozen(kw_only=True, eq=False)
class Reading:
    """The operations that read one kind of entity."""

    kind: Kind[Any]
    reader: Reader
    log: ChangeLog
    cursors: ListCursors
    listed: ListParameters
    envelope: Callable[[Kind[Any], Sequence[Record]], str]

    async def one(self, call: Call) -> Answer:
        """Answer with an entity, or with 304 where the client has it."""
        record = await find(self.reader, self.kind, identifier(call))
        etag = (b"etag", tag(record.version))
        known = call.header(b"if-none-match")
        if known is not None and not none_match(known, str(record.version)):
            return Answer(status=304, headers=(etag,))
        return json_text(record.document, etag)

    async def page(self, call: Call) -> Answer:
        """Answer with a page of the collection."""
        parameters = parse(call, self.listed.names)
        query = self.listed.query(parameters)
        page = await self.reader.page(query)
        etag = (b"etag", b'W/"%s"' % page.revision.encode())
        known = call.header(b"if-none-match")
        if known is not None and not none_match(known, page.revision):
            return Answer(status=304, headers=(etag,))
        next = None if page.next is None else following(call, parameters, self.cursors.write(query, page.next))
        link = () if next is None else ((b"link", b'<%s>; rel="next"' % next.encode()),)
        return json_text(self._written(page, next), etag, *link)

    async def history(self, call: Call) -> Answer:
        """Answer with what happened to an entity, oldest first."""
        id = identifier(call)
        parameters = parse(call, HISTORY_PARAMETERS)
        limit = whole(parameters, "limit", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT)
        after = self._version(parameters.get("cursor", "v0"))
        entries = await history(self.reader, self.log, self.kind, id, after=after, limit=limit + 1)
        shown = entries[:limit]
        next = following(call, parameters, f"v{shown[-1].change.record.version}") if len(entries) > limit else None
        changes = ",".join(change_document(each) for each in shown)
        return json_text(f'{{"history":[{changes}],"next":{_quoted(next)}}}')

    def _version(self, cursor: str) -> int:
        if not (cursor[:1] == "v" and cursor[1:].isascii() and cursor[1:].isdigit() and len(cursor) < 20):
            raise BadCursor
        return int(cursor[1:])

    def _written(self, page: Page, next: str | None) -> str:
        total = "" if page.total is None else f'"total":{page.total},'
        shown = self.envelope(self.kind, page.records)
        return f'{{{shown},"count":{len(page.records)},{total}"next":{_quoted(next)}{self._changes(page)}}}'

    def _changes(self, page: Page) -> str:
        """Say where the changes of the collection continue, if they can be followed."""
        if self.kind not in PUBLISHED:
            return ""
        return f',"changes":"/changes?after={page.changes}&types={",".join(self.kind.change_types)}"'


def as_list(kind: Kind[Any], records: Sequence[Record]) -> str:
    """Show a collection as a list."""
    return f'"{kind.collection}":[{",".join([record.document for record in records])}]'


def by_id(kind: Kind[Any], records: Sequence[Record]) -> str:
    """Show a collection as an object by id, with the ids beside it because objects have no order."""
    documents = ",".join([f'"{record.id}":{record.document}' for record in records])
    ids = ",".join([str(record.id) for record in records])
    return f'"{kind.collection}":{{{documents}}},"ids":[{ids}]'


def _quoted(text: str | None) -> str:
    return orjson.dumps(text).decode()
