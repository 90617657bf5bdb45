"""Following over a WebSocket, on every store."""

from urllib.parse import quote

import pytest

from domain.commands import Delete, Restore
from domain.errors import Unavailable
from domain.ports import Store
from domain.product import PRODUCT
from domain.task import TASK
from tests.contract.steps import carry_out, fill
from tests.feed.obstructed import ObstructedLog
from tests.feed.service import Service
from tests.feed.steps import blocked, documents, forget, rest, told, write

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


async def ready(store: Store) -> dict[str, str]:
    """Return the message that says that every earlier change was sent."""
    return {"type": "ready", "cursor": await store.head()}


async def test_live_only(service: Service, store: Store, other: Store) -> None:
    """Without `after` a follower is ready at once, and gets new changes of any process."""
    await write(store, 2)
    socket = await service.socket()
    assert await ready(store) == await socket.message()
    for door in (store, other):
        assert await write(door, 2) == await told(socket, 2)
    await socket.connection.leave()
    assert service.feed._reader is None


async def test_resuming(service: Service, elsewhere: Service, store: Store) -> None:
    """A follower with a cursor gets the changes that it missed, `ready`, and then new changes, in any process."""
    written = await write(store, 4)
    for served in (service, elsewhere):
        for index, change in enumerate(written):
            socket = await served.socket(f"after={change['cursor']}")
            missed = written[index + 1 :]
            assert [*missed, await ready(store)] == await told(socket, len(missed) + 1)
            written += await write(store, 1)
            assert written[-1:] == await told(socket, 1)
            await socket.connection.leave()
            if index == 3:
                break


async def test_going_on_from_ready(service: Service, store: Store) -> None:
    """The cursor of `ready` works like that of a change."""
    socket = await service.socket()
    place = (await socket.message())["cursor"]
    await socket.connection.leave()
    written = await write(store, 2)
    again = await service.socket(f"after={place}")
    assert written == await told(again, 2)
    await again.connection.leave()


async def test_ready_means_that_everything_before_was_told(service: Service, store: Store, other: Store) -> None:
    """`ready` comes after all earlier changes, even those of another process that this one has not read yet."""
    log = service.feed.log = ObstructedLog(store, held={"wait_for_changes"})
    early = await service.socket()
    ready_early = await early.message()
    await log.called("wait_for_changes")
    written = await write(other, 2)
    late = await service.socket(f"after={ready_early['cursor']}")
    assert [*written, await ready(store)] == await told(late, 3)
    log.let_go()
    assert written == await told(early, 2)
    for each in (early, late):
        await each.connection.leave()


async def test_only_some_types(service: Service, store: Store) -> None:
    """The types select old and new changes. `ready` always comes."""
    await fill(store, TASK, {}, {})
    await fill(store, PRODUCT, {})
    first = (await documents(store))[0]
    socket = await service.socket(f"after={first['cursor']}&types=product.created,task.deleted")
    live = await service.socket("types=task.deleted")
    assert [(await documents(store))[-1], await ready(store)] == await told(socket, 2)
    assert [await ready(store)] == await told(live, 1)
    await carry_out(
        store, Delete(entity_type=TASK, id=1), Restore(entity_type=TASK, id=1), Delete(entity_type=TASK, id=2)
    )
    deleted = [each for each in await documents(store) if each["type"] == "task.deleted"]
    for each in (socket, live):
        assert deleted == await told(each, 2)
        await each.connection.leave()


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=",
        "after=x-1",
        "types=",
        "types=task.moved",
        "wait=1",
        "after=now&after=now",
        "after=%ff",
        f"types={quote('ü😀' * 100)}",
    ],
)
async def test_what_cannot_be_followed(service: Service, store: Store, query: str) -> None:
    """A bad request closes the socket with a code of its own, and a reason that fits into a frame."""
    await fill(store, TASK, {})
    closed = await (await service.socket(query)).closed()
    assert 4400 == closed.code
    assert 0 < len(closed.reason.encode()) <= 123


async def test_an_expired_cursor(service: Service, store: Store) -> None:
    """The changes after the cursor are gone; the end of the log is still there."""
    place = await store.head()
    await write(store, 2)
    await forget(store)
    assert 4410 == (await (await service.socket(f"after={place}")).closed()).code
    socket = await service.socket(f"after={await store.head()}")
    assert await ready(store) == await socket.message()
    await socket.connection.leave()


async def test_expired_in_the_middle(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow follower gets the same code if the log is purged meanwhile."""
    monkeypatch.setattr("adapters.http.feed.feed.TAKEN_AT_ONCE", 1)
    place = await store.head()
    written = await write(store, 4)
    socket = await service.socket(f"after={place}", room=1)
    await blocked(socket.connection)
    await forget(store)
    assert written[:2] == await told(socket, 2)
    assert 4410 == (await socket.closed()).code


async def test_the_store_fails(service: Service, store: Store) -> None:
    """Followers are asked to reconnect, and get no error about their cursor."""
    service.feed.log = ObstructedLog(store, failing={"read": Unavailable()})
    assert 1013 == (await (await service.socket("after=now")).closed()).code


async def test_the_feed_closes(service: Service, store: Store) -> None:
    """Current and later followers learn that the service closes."""
    socket = await service.socket()
    assert await ready(store) == await socket.message()
    await service.feed.close()
    assert 1001 == (await socket.closed()).code
    assert 1001 == (await (await service.socket()).closed()).code


async def test_the_feed_closes_while_something_is_sent(service: Service, store: Store) -> None:
    """A slow follower gets the message in transit, then the close frame, and misses nothing between them."""
    socket = await service.socket(room=1)
    assert await ready(store) == await socket.message()
    written = await write(store, 3)
    await blocked(socket.connection)
    await service.feed.close()
    found, code = await rest(socket)
    assert (written[: len(found)], 1001) == (found, code)


async def test_a_client_that_leaves_while_something_is_sent(service: Service, store: Store) -> None:
    """A client that disconnects is no error, and ends the work for it."""
    socket = await service.socket(room=1)
    assert await ready(store) == await socket.message()
    await write(store, 3)
    await blocked(socket.connection)
    await socket.connection.leave()
    assert service.feed._reader is None


async def test_what_a_client_says_is_ignored(service: Service, store: Store) -> None:
    """Messages of a follower are read and ignored."""
    socket = await service.socket()
    assert await ready(store) == await socket.message()
    for message in ({"text": "{}"}, {"bytes": b"\xff"}, {"text": None, "bytes": b""}):
        socket.connection.say({"type": "websocket.receive", **message})
    assert await write(store, 1) == await told(socket, 1)
    await socket.connection.leave()
