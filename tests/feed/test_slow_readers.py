"""Slow readers: they learn that they are too slow, cost other readers nothing, and lose nothing."""

import asyncio
from typing import Any

import pytest

from adapters.http.feed import feed, websocket
from domain.changes import Cursor
from domain.ports import Store
from domain.task import TASK
from tests.contract.steps import fill
from tests.feed.service import Service
from tests.feed.steps import blocked, documents, forget, rest, told, write

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

LIMIT = 20


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the limits small enough to reach, and check them without pause."""
    monkeypatch.setattr(feed, "MAX_BEHIND", LIMIT)
    monkeypatch.setattr(feed, "WINDOW", LIMIT)
    monkeypatch.setattr(feed, "TAKEN_AT_ONCE", 4)
    monkeypatch.setattr(feed, "LOOK_EVERY_S", 0)
    monkeypatch.setattr(feed, "TIMEOUT_S", 3600)  # so that no reader is closed for another reason


async def resumed(service: Service, cursor: str, changes: int) -> list[dict[str, Any]]:
    """Return the changes after a cursor."""
    again = await service.socket(f"after={cursor}")
    found = await told(again, changes)
    await again.connection.leave()
    return found


async def test_a_reader_that_reads_nothing(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that reads nothing is closed with 1013 after a timeout, and can resume from its last cursor."""
    monkeypatch.setattr(feed, "TIMEOUT_S", 0.01)
    slow = await service.socket(room=1)
    (hello,) = await told(slow, 1)
    written = await write(store, 3)
    await slow.connection.task
    assert (written[:1], 1013) == await rest(slow)
    assert written == await resumed(service, hello["cursor"], 3)
    assert written[1:] == await resumed(service, written[0]["cursor"], 2)


async def test_a_close_frame_cannot_be_sent(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """If even the close frame cannot be sent, the follower ends nevertheless."""
    monkeypatch.setattr(feed, "TIMEOUT_S", 0.01)
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT_S", 0.01)
    monkeypatch.setattr("tests.feed.service.CLOSE", None)
    slow = await service.socket(room=1)
    await told(slow, 1)
    await write(store, 2)
    await slow.connection.task
    assert service.feed._reader is None


async def test_a_reader_that_falls_too_far_behind(
    service: Service, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower may be behind by exactly the limit. One more change closes it, and its last cursor resumes.

    Another follower gets every change meanwhile.
    """
    monkeypatch.setattr(feed, "LATE_ALLOWED_S", 0)
    slow, fast = await service.socket(room=1), await service.socket()
    for each in (slow, fast):
        await told(each, 1)
    written = []
    for _ in range(2 + LIMIT):  # one change in transit, one being sent
        written += await write(store, 1)
        assert written[-1:] == await told(fast, 1)
    assert not slow.connection.task.done()
    written += await write(store, 1)
    await slow.connection.task
    assert (written[:1], 1013) == await rest(slow)
    assert written[1:] == await resumed(service, written[0]["cursor"], len(written) - 1)
    assert written[-1:] + await write(store, 1) == await told(fast, 2)
    await fast.connection.leave()


async def test_slow_readers_while_much_is_written(
    service: Service, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many slow readers are closed under constant writes, the other readers get every change."""
    monkeypatch.setattr(feed, "LATE_ALLOWED_S", 0)
    slow = [await service.socket(room=1) for _ in range(5)]
    fast = await service.socket()
    for each in (*slow, fast):
        await told(each, 1)
    for _ in range(10):
        await fill(store, TASK, *({} for _ in range(LIMIT)))
    assert await documents(store) == await told(fast, 10 * LIMIT)
    assert [1013] * 5 == [(await rest(each))[1] for each in slow]
    await fast.connection.leave()


async def test_a_burst(service: Service, store: Store) -> None:
    """A follower that keeps reading is not closed for being behind, even in a burst."""
    sockets = [await service.socket(room=2) for _ in range(3)]
    for each in sockets:
        await told(each, 1)
    await fill(store, TASK, *({} for _ in range(20 * LIMIT)))
    written = await documents(store)
    assert [written] * 3 == await asyncio.gather(*(told(each, len(written)) for each in sockets))
    for each in sockets:
        await each.connection.leave()


async def test_catching_up_slowly(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A follower with many old changes may read them slowly, while others write and follow."""
    live = await service.socket()
    await told(live, 1)
    start = await store.oldest()
    await fill(store, TASK, *({} for _ in range(5 * LIMIT)))
    slow = await service.socket(f"after={start}", room=1)
    found = []
    for _ in range(5 * LIMIT):
        await blocked(slow.connection)
        await fill(store, TASK, {}, {})
        found += await told(slow, 1)
    written = await documents(store)
    found += await told(slow, len(written) - len(found))
    assert written == found == await told(live, len(written))
    assert "ready" == (await slow.message())["type"]
    for each in (slow, live):
        await each.connection.leave()


async def test_the_window_outlives_the_log(service: Service, store: Store) -> None:
    """A live follower still gets changes that were purged from the log before it read them."""
    slow, fast = await service.socket(room=1), await service.socket()
    for each in (slow, fast):
        await told(each, 1)
    written = await write(store, LIMIT)
    assert written == await told(fast, LIMIT)
    await forget(store)
    assert written == await told(slow, LIMIT)
    for each in (slow, fast):
        await each.connection.leave()


@pytest.mark.parametrize("behind", [LIMIT - 1, LIMIT, LIMIT + 1, 3 * LIMIT])
async def test_the_edge_of_the_window(service: Service, store: Store, behind: int) -> None:
    """A follower may start before, at or after the oldest change of the window. It gets the same changes."""
    await fill(store, TASK, *({} for _ in range(4 * LIMIT)))
    live = await service.socket(f"after={await store.oldest()}")
    await told(live, 4 * LIMIT + 1)
    await fill(store, TASK, *({} for _ in range(2 * LIMIT)))
    await told(live, 2 * LIMIT)
    written = await documents(store)
    place = Cursor(written[-behind - 1]["cursor"])
    websocket = await service.socket(f"after={place}")
    assert written[-behind:] == await told(websocket, behind)
    assert "ready" == (await websocket.message())["type"]
    for each in (websocket, live):
        await each.connection.leave()
