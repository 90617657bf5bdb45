"""Reading: one entity, a page of a collection, the history of an entity."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from attrs import field, frozen

from adapters.http.requests.cursors import ListCursors
from adapters.http.requests.etags import etag_of, known_tag, known_tags
from adapters.http.requests.list_query import ListParameters
from adapters.http.requests.negotiation import preferred
from adapters.http.requests.parameters import following, identifier, parse, whole
from adapters.http.requests.request import Request
from adapters.http.responses.responses import Header, Response, json_text
from adapters.serialization.changes import change_document
from adapters.serialization.lines import lines
from adapters.serialization.tables import CsvTable
from domain.changes import Cursor, Entry
from domain.entity_type import EntityType
from domain.errors import BadCursor, CursorExpired
from domain.ports import ChangeLog, Reader
from domain.public_types import PUBLIC_TYPES
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT, Page, Query
from domain.stored_entity import StoredEntity
from domain.text import FOLD
from domain.use_cases.read import list_page, read_history, read_one

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"

TEXTS = (CSV, NDJSON)
"""The text formats of public lists, beside JSON."""

HISTORY_PARAMETERS = ("limit", "cursor")

READ_AT_ONCE = 200
"""How many changes or entities are read before others have their turn."""


@frozen(kw_only=True, eq=False)
class Reading:
    """The operations that read one entity type."""

    entity_type: EntityType[Any]
    reader: Reader
    log: ChangeLog
    cursors: ListCursors
    listed: ListParameters
    envelope: Callable[[EntityType[Any], Sequence[StoredEntity]], str]
    etag: Callable[[StoredEntity], bytes] = lambda record: etag_of(record.version)
    texts: tuple[str, ...] = ()  # the text formats of its lists, beside JSON
    table: CsvTable = field(init=False)

    @table.default
    def _table(self) -> CsvTable:
        return CsvTable(self.entity_type)

    async def one(self, request: Request) -> Response:
        """Respond with an entity, or with 304 where the client has it."""
        record = await read_one(self.reader, self.entity_type, identifier(request))
        etag = self.etag(record)
        if (known := known_tag(request, etag)) is not None:
            return Response(status=304, headers=((b"etag", known),))
        return json_text(record.document, (b"etag", etag))

    async def page(self, request: Request) -> Response:
        """Respond with a page of the collection."""
        parameters = parse(request, self.listed.names)
        query = self.listed.query(parameters)
        async with self._turn(request, query):
            page = await list_page(self.reader, query)
        media_type = preferred(request, (JSON, *self.texts))
        stem = f"{page.revision}-{FOLD}{_SUFFIXES[media_type]}"  # how text is folded decides what a page holds
        known = await self._known(request, stem, page.changes)
        if known is not None:
            return Response(status=304, headers=((b"etag", _page_tag(stem, known)),))
        next = None if page.next is None else following(request, parameters, self.cursors.write(query, page.next))
        link = () if next is None else ((b"link", b'<%s>; rel="next"' % next.encode()),)
        headers: tuple[Header, ...] = ((b"etag", _page_tag(stem, page.changes)), *link)
        if media_type != JSON:
            return await self._text(request, media_type, page, headers)
        return json_text(self._written(request, page, next), *headers)

    @asynccontextmanager
    async def _turn(self, request: Request, query: Query[Any]) -> AsyncIterator[None]:
        """Surround the reading of a page. A long one waits for its turn; a slow one delays none of those behind it."""
        turns = request.capacity.turns
        if query.limit <= READ_AT_ONCE:
            yield
        elif query.where or query.search or query.total:
            await turns.next(request.address)
            yield
        else:
            async with turns.read(request.address):
                yield

    async def _text(self, request: Request, media_type: str, page: Page, headers: tuple[Header, ...]) -> Response:
        """Respond with the entities of a page as CSV or as JSON lines. CSV is written in turns."""
        if media_type == NDJSON:
            return Response(headers=((b"content-type", NDJSON.encode()), *headers), body=lines(page.records).encode())
        pieces = [self.table.header]
        for start in range(0, len(page.records), READ_AT_ONCE):
            if start:
                await request.capacity.turns.next(request.address)
            pieces.append(self.table.rows(page.records[start : start + READ_AT_ONCE]))
        content_type = b"text/csv; charset=utf-8; header=present"
        return Response(headers=((b"content-type", content_type), *headers), body="".join(pieces).encode())

    async def _known(self, request: Request, stem: str, now: Cursor) -> Cursor | None:
        """Return the cursor from which a client that has this page can still follow the changes, or None."""
        if b"if-none-match" not in request.headers:
            return None
        for tag, inside in known_tags(request):
            own, _, cursor = inside.partition("@")
            if tag == "*" or (own == stem and await self._reaches(Cursor(cursor))):
                return now if tag == "*" else Cursor(cursor)
        return None

    async def _reaches(self, cursor: Cursor) -> bool:
        """Tell whether the log still has every change after a cursor."""
        try:
            await self.log.read(cursor, limit=1)
        except (BadCursor, CursorExpired):
            return False
        return True

    async def history(self, request: Request) -> Response:
        """Respond with the changes of an entity, oldest first."""
        id = identifier(request)
        parameters = parse(request, HISTORY_PARAMETERS)
        limit = whole(parameters, "limit", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT)
        after = self._version(parameters.get("cursor", "v0"))
        entries = await self._entries(request, id, after, limit + 1)
        shown = entries[:limit]
        next = following(request, parameters, f"v{shown[-1].change.record.version}") if len(entries) > limit else None
        changes = ",".join(change_document(each) for each in shown)
        return json_text(f'{{"history":[{changes}],"next":{_quoted(next)}}}')

    async def _entries(self, request: Request, id: int, after: int, limit: int) -> list[Entry]:
        entries: list[Entry] = []
        while True:
            wanted = min(limit - len(entries), READ_AT_ONCE)
            async with request.capacity.turns.read(request.address):
                found = await read_history(self.reader, self.log, self.entity_type, id, after=after, limit=wanted)
            entries += found
            if len(found) < wanted or len(entries) == limit:
                return entries
            after = found[-1].change.record.version

    def _version(self, cursor: str) -> int:
        if not (cursor[:1] == "v" and cursor[1:].isascii() and cursor[1:].isdigit() and len(cursor) < 20):
            raise BadCursor
        return int(cursor[1:])

    def _written(self, request: Request, page: Page, next: str | None) -> str:
        total = "" if page.total is None else f'"total":{page.total},'
        shown = self.envelope(self.entity_type, page.records)
        return f'{{{shown},"count":{len(page.records)},{total}"next":{_quoted(next)}{self._changes(request, page)}}}'

    def _changes(self, request: Request, page: Page) -> str:
        """Return the member with the URL of later changes, or nothing where they cannot be followed."""
        if self.entity_type not in PUBLIC_TYPES:
            return ""
        url = f"{request.root}/changes?after={page.changes}&types={','.join(self.entity_type.change_types)}"
        return f',"changes":"{url}"'


_SUFFIXES = {JSON: "", CSV: "-csv", NDJSON: "-ndjson"}
"""The part of an etag that tells the formats of one page apart."""


def _page_tag(stem: str, changes: Cursor) -> bytes:
    """Return the etag of a page. It is weak: while nothing changes, cursors differ and lead to the same changes."""
    return f'W/"{stem}@{changes}"'.encode()


def as_list(entity_type: EntityType[Any], records: Sequence[StoredEntity]) -> str:
    """Show a collection as a list."""
    return f'"{entity_type.collection}":[{",".join([record.document for record in records])}]'


def by_id(entity_type: EntityType[Any], records: Sequence[StoredEntity]) -> str:
    """Show a collection as an object by id, with the ids beside it because objects have no order."""
    documents = ",".join([f'"{record.id}":{record.document}' for record in records])
    ids = ",".join([str(record.id) for record in records])
    return f'"{entity_type.collection}":{{{documents}}},"ids":[{ids}]'


def _quoted(text: str | None) -> str:
    return orjson.dumps(text).decode()
