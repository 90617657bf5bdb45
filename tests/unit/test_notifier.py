"""Waiting for changes, whatever the order in which looks at the log end."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from adapters.postgres import notifier as module
from adapters.postgres.notifier import ChangeNotifier

pytestmark = pytest.mark.anyio


class Looks:
    """Looks that end when, and as, a test says."""

    def __init__(self) -> None:
        """Begin with none."""
        self.begun: list[asyncio.Future[int]] = []
        self._one_more = asyncio.Event()

    async def look(self) -> int:
        """Begin a look."""
        self.begun.append(asyncio.get_running_loop().create_future())
        self._one_more.set()
        return await self.begun[-1]

    async def until(self, count: int) -> None:
        """Return when so many have begun."""
        async with asyncio.timeout(10):
            while len(self.begun) < count:
                self._one_more.clear()
                await self._one_more.wait()


async def released(*waiting: asyncio.Task[None]) -> set[asyncio.Task[None]]:
    """Return which of the waiters are let go within a while."""
    done, _ = await asyncio.wait(waiting, timeout=10)
    return done


@pytest.fixture
def looks() -> Looks:
    """Return looks."""
    return Looks()


@pytest.fixture
async def notifier(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ChangeNotifier]:
    """Return a notifier that does not look by itself, and hears of nobody."""

    async def listen(_: Callable[[], None]) -> None:
        await asyncio.Event().wait()

    async def tell() -> None:
        pass

    monkeypatch.setattr(module, "LOOK_AGAIN_S", 3600)
    notifier = ChangeNotifier(look=looks.look, tell=tell, listen=listen)
    yield notifier
    await notifier.close()


async def test_an_older_look_that_ends_late(notifier: ChangeNotifier, looks: Looks) -> None:
    """A waiter hears of the next change, even if his own look ends last and did not see it."""
    slow = asyncio.create_task(notifier.beyond(5))
    await looks.until(1)
    quick = asyncio.create_task(notifier.beyond(5))
    await looks.until(2)
    looks.begun[1].set_result(6)
    await quick
    looks.begun[0].set_result(5)
    assert {slow} == await released(slow)


async def test_two_looks_that_end_at_once(notifier: ChangeNotifier, looks: Looks) -> None:
    """The older look does not undo the result of the newer one, even if nobody has heard of it yet."""
    waiting = asyncio.create_task(notifier.beyond(5))
    await looks.until(1)
    looks.begun[0].set_result(5)
    others = [asyncio.create_task(notifier.beyond(number)) for number in (4, 4)]
    await looks.until(3)
    looks.begun[1].set_result(6)
    looks.begun[2].set_result(5)
    assert {waiting, *others} == await released(waiting, *others)


async def test_nothing_new_is_waited_for(notifier: ChangeNotifier, looks: Looks) -> None:
    """A look that finds the same change lets nobody go; what this process commits then has it look again."""
    waiting = asyncio.create_task(notifier.beyond(5))
    await looks.until(1)
    looks.begun[0].set_result(5)
    notifier.notify()
    await looks.until(2)
    assert not waiting.done()
    looks.begun[1].set_result(6)
    assert {waiting} == await released(waiting)


async def test_the_end_lets_everybody_go(notifier: ChangeNotifier, looks: Looks) -> None:
    """Also who has just begun to look."""
    waiting = [asyncio.create_task(notifier.beyond(5)) for _ in range(2)]
    await looks.until(2)
    looks.begun[0].set_result(5)
    await asyncio.sleep(0)
    await notifier.close()
    looks.begun[1].set_result(5)
    assert {*waiting} == await released(*waiting)
