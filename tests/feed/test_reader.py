"""The one reader of the log, and followers that come, wait and go while it starts, fails and stops."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from math import inf

import pytest

from adapters.http.feed import feed as module
from adapters.http.feed.feed import Feed, Follower
from domain.changes import Cursor
from domain.errors import CursorExpired, Unavailable
from domain.ports import Store
from domain.task import TASK
from tests.contract.steps import fill, whole_log
from tests.feed.obstructed import ObstructedLog
from tests.feed.steps import forget, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

ALL = frozenset[str]()


@pytest.fixture
def log(store: Store) -> ObstructedLog:
    """Return the log of the store, which tests can obstruct."""
    return ObstructedLog(store)


@pytest.fixture
async def feed(log: ObstructedLog, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Feed]:
    """Return a feed of that log. After an error it retries without a pause."""
    monkeypatch.setattr(module, "RETRY_S", 0)
    made = Feed(log)
    yield made
    log.let_go()
    await made.close()


async def heard(feed: Feed, follower: Follower, changes: int) -> list[Cursor]:
    """Return the cursors of the next changes. No further change may come."""
    found: list[Cursor] = []
    while len(found) < changes:
        found += [event.cursor for event in await feed.next(follower)]
    return found


async def written(store: Store, changes: int) -> list[Cursor]:
    """Make changes, and return their cursors."""
    await fill(store, TASK, *({} for _ in range(changes)))
    return [entry.cursor for entry in await whole_log(store)][-changes:]


async def in_step(feed: Feed, store: Store, *followers: Follower) -> None:
    """Send changes to followers until they get them from the window and no longer from the log."""
    while any(follower.number is None for follower in followers):
        (cursor,) = await written(store, 1)
        await asyncio.gather(*(reached(feed, follower, cursor) for follower in followers))
        await asyncio.sleep(0)


async def reached(feed: Feed, follower: Follower, cursor: Cursor) -> None:
    """Return once a follower has received the change of a cursor."""
    while follower.cursor != cursor:
        await feed.next(follower)


async def test_a_change_while_the_reader_starts(feed: Feed, log: ObstructedLog, store: Store) -> None:
    """A change written after a follower looked, and before the reader did, wakes the follower, too."""
    log.held = {"head"}
    async with feed.follower(await store.head(), ALL) as follower:
        hearing = asyncio.create_task(heard(feed, follower, 1))
        await log.called("read")
        cursors = await written(store, 1)
        await log.called("head")
        log.let_go()
        assert cursors == await hearing


@pytest.mark.parametrize("turns", range(8))
async def test_one_comes_while_the_last_one_goes(feed: Feed, store: Store, turns: int) -> None:
    """A follower that comes while the reader stops still gets new changes, at each step of the stop."""
    going = asyncio.Event()

    async def last() -> None:
        async with feed.follower(await store.head(), ALL) as follower:
            hearing = asyncio.create_task(feed.next(follower))
            await going.wait()
            hearing.cancel()
            await asyncio.wait({hearing})

    leaving = asyncio.create_task(last())
    await until(lambda: feed._reader is not None)
    going.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with feed.follower(await store.head(), ALL) as follower:
        hearing = asyncio.create_task(heard(feed, follower, 2))
        cursors = await written(store, 1)
        await leaving
        cursors += await written(store, 1)
        assert cursors == await hearing
    assert feed._reader is None


async def test_a_cursor_that_the_reader_has_not_come_to(
    feed: Feed, log: ObstructedLog, store: Store, other: Store
) -> None:
    """A follower may start at a change that this process has not read yet."""
    log.held = {"wait_for_changes"}
    async with feed.follower(await store.head(), ALL) as early:
        await log.called("wait_for_changes")
        cursors = await written(other, 3)
        async with feed.follower(cursors[1], ALL) as late:
            assert cursors[2:] == await heard(feed, late, 1)
            hearing = asyncio.create_task(heard(feed, late, 1))
            log.let_go()
            cursors += await written(other, 1)
            assert cursors[3:] == await hearing
        assert cursors == await heard(feed, early, 4)


@pytest.mark.parametrize("call", ["head", "wait_for_changes", "read"])
async def test_a_store_that_fails_for_a_while(feed: Feed, log: ObstructedLog, store: Store, call: str) -> None:
    """Followers keep waiting, and get every change once the store works again."""
    async with feed.follower(await store.head(), ALL) as follower:
        if call != "head":  # the reader has already started
            await in_step(feed, store, follower)
        log.failing[call] = Unavailable()
        hearing = asyncio.create_task(heard(feed, follower, 2))
        log.calls.clear()
        cursors = await written(store, 1)
        await log.called(call, 3)
        assert not hearing.done()
        log.failing.clear()
        cursors += await written(store, 1)
        assert cursors == await hearing


async def test_the_window_survives_a_failure(feed: Feed, log: ObstructedLog, store: Store) -> None:
    """After the failure, up-to-date followers need not read the log. Only the reader does."""
    async with feed.follower(await store.head(), ALL) as one, feed.follower(await store.head(), ALL) as two:
        await in_step(feed, store, one, two)
        log.failing["wait_for_changes"] = Unavailable()
        await written(store, 1)
        await log.called("wait_for_changes", log.calls.count("wait_for_changes") + 2)
        log.failing.clear()
        log.calls.clear()
        (cursor,) = await written(store, 1)
        for follower in (one, two):
            await reached(feed, follower, cursor)
        assert log.calls.count("read") <= 2


async def test_an_error_that_nobody_expected(
    feed: Feed, log: ObstructedLog, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected error is logged, and the feed continues."""
    async with feed.follower(await store.head(), ALL) as follower:
        hearing = asyncio.create_task(heard(feed, follower, 1))
        await log.called("wait_for_changes")
        log.failing["read"] = ZeroDivisionError()
        cursors = await written(store, 1)
        await log.called("read", log.calls.count("read") + 2)
        log.failing.clear()
        assert cursors == await hearing
    assert {logging.ERROR} == {record.levelno for record in caplog.records}


async def test_a_log_that_is_purged_before_it_was_read(feed: Feed, log: ObstructedLog, store: Store) -> None:
    """Followers with purged changes learn that they missed something. Others get new changes."""
    async with feed.follower(await store.head(), ALL) as follower:
        await in_step(feed, store, follower)
        hearing = asyncio.create_task(heard(feed, follower, 1))
        log.held = {"read"}
        log.calls.clear()
        await written(store, 2)
        await log.called("read")
        await forget(store)
        log.let_go()
        with pytest.raises(CursorExpired):
            await hearing
        async with feed.follower(await store.head(), ALL) as fresh:
            cursors = await written(store, 1)
            assert cursors == await heard(feed, fresh, 1)


async def test_whoever_waits_may_be_cancelled_at_any_time(feed: Feed, log: ObstructedLog, store: Store) -> None:
    """A change that a cancelled call did not return is not lost: the next call returns it."""
    cursors: list[Cursor] = []
    found: list[Cursor] = []
    async with feed.follower(await store.head(), ALL) as follower:
        for turn in range(60):
            if turn % 7 == 0:
                log.held = {"read"}
            if turn % 3 == 0:
                cursors += await written(store, 1)
            waiting = asyncio.create_task(feed.next(follower))
            for _ in range(turn % 5):
                await asyncio.sleep(0)
            if turn % 7 == 2:
                log.let_go()
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                found += [event.cursor for event in await waiting]
        log.let_go()
        found += await heard(feed, follower, len(cursors) - len(found))
    assert cursors == found


async def test_nothing_runs_while_nobody_follows(feed: Feed, log: ObstructedLog, store: Store) -> None:
    """Without followers nobody reads the log, whatever is written. A closed feed starts no reader."""
    async with feed.follower(await store.head(), ALL) as follower:
        await in_step(feed, store, follower)
    assert (None, None) == (feed._reader, feed._wait_for_changes)
    log.calls.clear()
    await written(store, 3)
    assert ([], None) == (log.calls, feed._reader)
    await feed.close()
    async with feed.follower(await store.head(), ALL) as follower:
        assert ([], None) == (await feed.next(follower), feed._reader)


async def test_whoever_took_what_was_sent_has_all_the_time(feed: Feed, store: Store) -> None:
    """The timeout applies to sending only. A follower that gets no changes for long is not ended."""
    async with feed.follower(await store.head(), ALL) as follower:
        await follower.take(asyncio.sleep(0))
        assert inf == follower.deadline


async def test_the_window_leaves_nothing_behind(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many changes pass through the window, it remembers no more cursors than it has changes."""
    monkeypatch.setattr(module, "WINDOW", 3)
    followed = Feed(store)
    async with followed.follower(await store.head(), ALL) as follower:
        await in_step(followed, store, follower)
        await heard(followed, follower, len(await written(store, 9)))
        assert 4 >= len(followed._numbers)
    await followed.close()
