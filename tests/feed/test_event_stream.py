"""Following by Server-Sent Events, on every store."""

import pytest

from adapters.http.feed import event_stream
from domain.commands import Delete
from domain.errors import Unavailable
from domain.ports import Store
from domain.task import TASK
from tests.contract.steps import carry_out, fill
from tests.feed.obstructed import ObstructedLog
from tests.feed.service import Ended, Events, Service
from tests.feed.steps import blocked, documents, forget, until, write

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


async def some(events: Events, number: int) -> list[object]:
    """Return the data of this many events. Each must be a change whose id is its cursor."""
    found = []
    for _ in range(number):
        name, data = await events.event()
        assert ("message", events.last_id) == (name, data["cursor"])
        found.append(data)
    return found


async def test_the_log_and_what_comes(service: Service, store: Store, other: Store) -> None:
    """Without a cursor the stream starts at the oldest kept change, and continues with new changes of any process."""
    written = await write(store, 3)
    events = await service.events()
    assert written == await some(events, 3)
    for door in (store, other):
        assert await write(door, 1) == await some(events, 1)
    await events.connection.leave()
    assert service.feed._reader is None


@pytest.mark.parametrize("query", ["?after=now", ""])
async def test_the_last_id_resumes(service: Service, store: Store, query: str) -> None:
    """`Last-Event-ID` counts before the query, because a browser repeats the query when it reconnects."""
    first, *rest = await write(store, 4)
    events = await service.events(f"/changes/stream{query}", last_event_id=first["cursor"])
    assert rest == await some(events, 3)
    await events.connection.leave()


async def test_the_cursor_is_known_before_the_first_event(service: Service, store: Store) -> None:
    """A client that loses its connection before the first event resumes from its cursor, even with `after=now`."""
    await write(store, 1)
    events = await service.events("/changes/stream?after=now")
    await events.comment()
    assert await store.head() == events.last_id
    await events.connection.leave()
    written = await write(store, 2)
    again = await service.events("/changes/stream?after=now", last_event_id=events.last_id)
    assert written == await some(again, 2)
    await again.connection.leave()


async def test_the_store_fails(service: Service, store: Store) -> None:
    """The stream ends as if it were complete. The client reconnects by itself with its last cursor."""
    await write(store, 1)
    service.feed.log = ObstructedLog(store, failing={"read": Unavailable()})
    events = await service.events()
    await events.comment()
    with pytest.raises(Ended):
        await events.event()


async def test_a_comment_when_nothing_happens(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing happens, comments come. They also move the client's cursor past changes of other types."""
    events = await service.events("/changes/stream?after=now&types=task.deleted")
    await events.comment()
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.01)
    await write(store, 1)
    again = await service.events("/changes/stream?types=task.deleted", last_event_id=events.last_id)
    while await store.head() != again.last_id:
        await again.comment()
    await carry_out(store, Delete(entity_type=TASK, id=1))
    assert (await documents(store))[-1:] == await some(again, 1)
    for each in (events, again):
        await each.connection.leave()


async def test_reset(service: Service, store: Store) -> None:
    """If the next change was purged, the stream sends `reset` once and ends."""
    cursor = await store.head()
    await write(store, 2)
    await forget(store)
    events = await service.events(last_event_id=cursor)
    assert ("reset", {}) == await events.event()
    with pytest.raises(Ended):
        await events.event()


async def test_reset_in_the_middle(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow client also gets `reset` if the log is purged meanwhile."""
    monkeypatch.setattr("adapters.http.feed.feed.TAKEN_AT_ONCE", 1)
    written = await write(store, 4)
    events = await service.events(room=2)  # for the first comment and one change
    await blocked(events.connection)
    await forget(store)
    assert written[:2] == await some(events, 2)
    assert ("reset", {}) == await events.event()
    with pytest.raises(Ended):
        await events.event()


async def test_the_feed_closes(service: Service, store: Store) -> None:
    """The stream ends when the service closes."""
    written = await write(store, 1)
    events = await service.events()
    assert written == await some(events, 1)
    await service.feed.close()
    with pytest.raises(Ended):
        await events.event()


async def test_a_reader_that_reads_nothing(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream ends, and the client can resume from the last cursor that it read."""
    monkeypatch.setattr("adapters.http.feed.feed.TIMEOUT_S", 0.01)
    monkeypatch.setattr("adapters.http.feed.feed.LOOK_EVERY_S", 0)
    monkeypatch.setattr("adapters.http.feed.feed.TAKEN_AT_ONCE", 1)
    written = await write(store, 4)
    events = await service.events(room=2)
    await blocked(events.connection)
    await until(lambda: not service.feed._followers)
    found = await some(events, 1)
    with pytest.raises(Ended):
        await events.event()
    again = await service.events(last_event_id=events.last_id)
    assert written == found + await some(again, 3)
    await again.connection.leave()


async def test_no_compression(service: Service, store: Store) -> None:
    """The stream is not compressed, because that would delay events."""
    written = await write(store, 1)
    events = await service.events(accept_encoding="gzip")
    assert written == await some(events, 1)
    await events.connection.leave()


async def test_what_is_no_cursor(service: Service, store: Store) -> None:
    """An invalid cursor gets an error status."""
    await fill(store, TASK, {})
    for headers in ({"last_event_id": "x"}, {"last_event_id": "x-1"}):
        status, problem = await service.get("/changes/stream?after=now", **headers)
        assert (400, "bad_cursor") == (status, problem["code"])
    status, problem = await service.get("/changes/stream?wait=1")
    assert (400, "bad_parameter") == (status, problem["code"])
