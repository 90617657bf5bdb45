"""Long work is done in pieces, and all long work shares the time of each pass."""

import asyncio
from typing import Any

import pytest

from adapters.http.fairness import turns
from adapters.http.fairness.capacity import Capacity
from adapters.http.fairness.turns import READS_AT_ONCE, Turns
from adapters.http.feed.feed import TAKEN_AT_ONCE
from adapters.http.handlers.reading import READ_AT_ONCE
from adapters.serialization.calendars import CalendarWriter
from domain.access.key_text import make_calendar_secret
from domain.calendar import CalendarForm, CreateCalendar
from domain.ports import Store
from domain.queries import MAX_LIMIT
from domain.task import TASK
from tests.contract.steps import carry_out, edit, fill
from tests.fairness.passes import counting
from tests.feed.service import Service
from tests.feed.steps import until
from tests.http.service import Client

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

PIECES = 5


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the time of a pass so short that one piece uses it up."""
    monkeypatch.setattr(turns, "BUDGET_S", -1)


@pytest.mark.usefixtures("short")
async def test_one_piece_in_each_pass() -> None:
    """Once a pass has used up its time, each later pass does one piece. The workers take turns, and none is skipped."""
    shared, order = Turns(), list[int]()

    async def work(number: int) -> None:
        for _ in range(PIECES):
            await shared.next("")
            order.append(number)
            passes.note()

    async with counting() as passes:
        await asyncio.gather(*map(work, range(4)))

    assert 1 == passes.most
    assert [0, *([0, 1, 2, 3] * (PIECES - 1)), 1, 2, 3] == order  # the first had a piece before the others asked


@pytest.mark.usefixtures("short")
async def test_clients_have_turns() -> None:
    """A client with much long work delays the work of another client by one piece of its own for each of its pieces."""
    shared, order = Turns(), list[str]()

    async def work(client: str) -> None:
        for _ in range(2):
            await shared.next(client)
            order.append(client)

    await asyncio.gather(*(work(client) for client in ("busy", "busy", "busy", "other")))

    assert ["busy", "busy", "other", "busy", "other", *(["busy"] * 3)] == order


async def test_several_pieces_as_long_as_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short work does not wait for the next pass."""
    monkeypatch.setattr(turns, "BUDGET_S", 3600)
    shared = Turns()
    async with counting() as passes:
        for _ in range(PIECES):
            await shared.next("")
            passes.note()

    assert PIECES == passes.most


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("has_its_turn", [False, True])
async def test_who_leaves_gives_its_turn_to_the_next(has_its_turn: bool) -> None:
    """A turn is passed on if its owner has left, or leaves just when the turn comes."""
    shared, loop = Turns(), asyncio.get_running_loop()
    leaving, staying, last = (asyncio.create_task(shared.next("")) for _ in range(3))
    if not has_its_turn:
        loop.call_soon(leaving.cancel)
    await shared.next("")  # only now the end of this first turn is queued
    if has_its_turn:
        loop.call_soon(leaving.cancel)

    await asyncio.gather(staying, last)
    assert leaving.cancelled()


@pytest.mark.usefixtures("short")
async def test_catching_up_takes_turns(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pass reads the log for one follower only, even if many catch up, in all ways of following."""
    changes = TAKEN_AT_ONCE * PIECES
    await fill(store, TASK, *({} for _ in range(changes)))
    oldest = await store.oldest()

    async def replayed() -> int:
        socket, messages = await service.socket(f"after={oldest}"), 0
        while (await socket.message())["type"] != "ready":
            messages += 1
        await socket.connection.leave()
        return messages

    async def streamed() -> int:
        events = await service.events(f"/changes/stream?after={oldest}")
        for _ in range(changes):
            await events.event()
        await events.connection.leave()
        return changes

    async def polled() -> int:
        return len((await service.get("/changes?limit=1000"))[1]["changes"])

    read = store.read

    async with counting() as passes:

        async def noted(*args: Any, **kwargs: Any) -> Any:
            if "types" in kwargs:  # not the reader of the feed, which has nothing to read
                passes.note()
            return await read(*args, **kwargs)

        monkeypatch.setattr(store, "read", noted)
        found = await asyncio.gather(*(follow() for follow in (replayed, streamed, polled) for _ in range(3)))

    assert [changes] * 9 == found
    assert 1 == passes.most


@pytest.mark.usefixtures("short")
async def test_a_long_history_takes_turns(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history is also read in pieces, with the same result."""
    await fill(store, TASK, {})
    await carry_out(store, *(edit(TASK, 1, title=f"{number}") for number in range(2 * READ_AT_ONCE)))

    async with counting() as passes:
        monkeypatch.setattr(store, "history", passes.noted(store.history))
        answers = await asyncio.gather(*(service.get("/tasks/1/history?limit=400") for _ in range(3)))

    for status, answer in answers:
        assert (200, list(range(1, 401))) == (status, [each["version"] for each in answer["history"]])
        assert "/tasks/1/history?limit=400&cursor=v400" == answer["next"]
    assert 1 == passes.most


@pytest.mark.usefixtures("short")
async def test_long_lists_take_turns(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long pages begin one by one. Short pages wait for nobody."""
    await fill(store, TASK, *({} for _ in range(3)))
    long, short = (f"/tasks?limit={limit}" for limit in (READ_AT_ONCE + 1, READ_AT_ONCE))
    page, most = store.page, {}
    for path in (long, short):
        async with counting() as passes:
            monkeypatch.setattr(store, "page", passes.noted(page))
            await asyncio.gather(*(service.get(path) for _ in range(3)))
        most[path] = passes.most

    assert {long: 1, short: 3} == most


async def test_few_long_reads_at_once(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of long lists and long polls only some wait for the store. Short ones and searches wait for none of them."""
    await fill(store, TASK, {})
    go, reads, entered = asyncio.Event(), list[str](), asyncio.Semaphore(0)
    page, read = store.page, store.read

    async def held_page(query: Any) -> Any:
        if query.limit == MAX_LIMIT and not query.search:
            reads.append("list")
            entered.release()
            await go.wait()
        return await page(query)

    async def held_read(after: Any, *, types: Any = frozenset(), limit: int = MAX_LIMIT) -> Any:
        if types and not go.is_set():
            reads.append("poll")
            entered.release()
            await go.wait()
        return await read(after, types=types, limit=limit)

    monkeypatch.setattr(store, "page", held_page)
    monkeypatch.setattr(store, "read", held_read)
    paths = ("/tasks?limit=1000", "/changes?limit=1000&types=task.created") * 3
    long = [asyncio.create_task(service.get(path)) for path in paths]
    for _ in range(READS_AT_ONCE):
        await entered.acquire()
    quick = ("/changes", "/tasks?limit=50", "/tasks?limit=1000&q=order", "/tasks/1")
    assert [200] * 4 == [(await service.get(path))[0] for path in quick]

    assert READS_AT_ONCE == len(reads)
    go.set()
    assert [200] * 6 == [status for status, _ in await asyncio.gather(*long)]


async def test_a_reader_behind_many_of_another_client(
    client: Client, capacity: Capacity, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long poll does not wait until each of twenty polls of another client has read a piece."""
    await fill(store, TASK, *({} for _ in range(2 * TAKEN_AT_ONCE)))
    go, reads, read = asyncio.Event(), list[str](), store.read

    async def held(after: Any, *, types: Any, limit: int) -> Any:
        reads.append("one" if types else "many")
        await go.wait()
        return await read(after, types=types, limit=limit)

    def poll(address: str, types: str = "") -> asyncio.Task[Any]:
        return asyncio.create_task(client.get(f"/changes?limit=1000{types}", extensions={"address": address}))

    monkeypatch.setattr(store, "read", held)
    many = [poll("192.0.2.1") for _ in range(20)]
    waiting = capacity.turns._reads._waiting._of
    await until(lambda: len(waiting.get("192.0.2.1", ())) == 20 - READS_AT_ONCE)
    one = poll("192.0.2.2", "&types=task.created")
    await until(lambda: "192.0.2.2" in waiting)
    go.set()

    assert 2 * TAKEN_AT_ONCE == len((await one).json()["changes"])
    assert {200} == {each.status_code for each in await asyncio.gather(*many)}
    assert reads[:20].count("one") == reads.count("one")


@pytest.mark.usefixtures("short")
async def test_calendars_take_turns(client: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A calendar is written task by task, and others are served between two tasks."""
    await fill(store, TASK, *({"due": "2026-02-03"} for _ in range(PIECES)))
    secret = make_calendar_secret(lambda characters: characters[0])
    await store.calendars.change(
        CreateCalendar(name="x", filter="", form=CalendarForm.EVENT, actor=None, secret=secret)
    )
    write = CalendarWriter.task

    async with counting() as passes:

        def noted(writer: CalendarWriter, document: str) -> str:
            passes.note()
            return write(writer, document)

        monkeypatch.setattr(CalendarWriter, "task", noted)
        answers = await asyncio.gather(*(client.get(f"/calendars/{secret}.ics") for _ in range(3)))

    assert [PIECES] * 3 == [each.text.count("BEGIN:VEVENT") for each in answers]
    assert 1 == passes.most
