"""Following the log by polling and by Server-Sent Events."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial

from attrs import frozen

from adapters.http.admission.live_grants import LiveGrants
from adapters.http.feed.event_stream import STREAM, EventStream
from adapters.http.feed.feed import TAKEN_AT_ONCE, Feed
from adapters.http.requests.parameters import parse, whole
from adapters.http.requests.request import Request
from adapters.http.responses.responses import Response, json_text
from adapters.http.timing.stopwatch import Phase, timed
from adapters.serialization.changes import change_document
from domain.changes import Cursor
from domain.errors import BadParameter, CursorExpired
from domain.ports import ChangeLog
from domain.public_types import CHANGE_TYPES, followed
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT
from domain.use_cases.follow import start

POLL = "poll"
MAX_WAIT_S = 60

POLL_PARAMETERS = ("after", "last", "limit", "types", "wait")
STREAM_PARAMETERS = ("after", "types")


@frozen(eq=False)
class Changes:
    """The operations on the log."""

    log: ChangeLog
    feed: Feed
    live: LiveGrants

    async def poll(self, request: Request) -> Response:
        """Respond with the changes after a cursor, at once or as soon as there are any."""
        parameters = parse(request, POLL_PARAMETERS)
        types = chosen_types(parameters)
        last = whole(parameters, "last", least=1, most=MAX_LIMIT, default=0)
        if last and "after" in parameters:
            raise BadParameter("last and after both say where to begin: only one of them can")
        limit = whole(parameters, "limit", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT)
        wait = whole(parameters, "wait", least=0, most=MAX_WAIT_S, default=0)
        if request.method == "HEAD":  # its response has no body to wait for
            wait = 0
        # A thousand that wait also read at the same moment, and must not count as so much work meanwhile.
        with _polling(request) if wait else nullcontext():
            after = await start(self.log, parameters.get("after"), last)
            is_quick = not (wait or types or limit > DEFAULT_LIMIT)  # as a short list, which waits for nobody either
            changes, cursor = await self._read(after, types, limit, request.address, at_once=is_quick)
            if wait and not changes:
                with timed(Phase.CHANGES):
                    async with self.live.while_granted(request):
                        await self._wait_for_event(cursor, types, request.address, wait)
                changes, cursor = await self._read(cursor, types, limit, request.address)
        return json_text(f'{{"changes":[{",".join(changes)}],"cursor":"{cursor}"}}')

    async def _read(
        self, after: Cursor | None, types: frozenset[str], limit: int, client: str, *, at_once: bool = False
    ) -> tuple[list[str], Cursor]:
        """Return the documents of the next changes, and the cursor after them."""
        changes: list[str] = []
        while True:
            wanted = min(limit - len(changes), TAKEN_AT_ONCE)
            batch = await self.feed.read_on(after, types, wanted, client, at_once=at_once)
            at_once = False
            changes += map(change_document, batch.entries)
            after = batch.cursor
            if len(batch.entries) < wanted or len(changes) == limit:
                return changes, after

    async def _wait_for_event(self, after: Cursor, types: frozenset[str], client: str, wait: float) -> None:
        """Return when there is a change after a cursor, or when waiting is over."""
        with suppress(TimeoutError):
            async with self.feed.follower(after, types, client) as follower, asyncio.timeout(wait):
                await self.feed.next(follower)

    async def stream(self, request: Request) -> EventStream:
        """Respond with a stream of events."""
        parameters = parse(request, STREAM_PARAMETERS)
        types = chosen_types(parameters)
        after = await start(self.log, request.header(b"last-event-id") or parameters.get("after"))
        with suppress(CursorExpired):  # the stream itself tells that
            await self.log.read(after, limit=1)  # an invalid cursor is refused now, while a status can still say so
        request.capacity.follow(STREAM, request.address)  # the stream, which is sent next, gives this back
        return EventStream(self.feed, after, types, request.address, partial(self.live.while_granted, request))


@contextmanager
def _polling(request: Request) -> Iterator[None]:
    """Count a request among those that wait for changes, and not as worked on."""
    request.capacity.follow(POLL, request.address)
    try:
        with request.waiting():
            yield
    finally:
        request.capacity.unfollow(POLL, request.address)


def chosen_types(parameters: dict[str, str]) -> frozenset[str]:
    """Return the types to follow. An empty set means all types. Raises `BadParameter`."""
    if "types" not in parameters:
        return frozenset()
    types = parameters["types"].split(",")
    for each in types:
        if each not in CHANGE_TYPES:
            raise BadParameter(f"types: {each[:100]!r} is none of {', '.join(CHANGE_TYPES)}")
    return followed(types)
