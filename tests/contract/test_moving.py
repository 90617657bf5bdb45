"""Moving any store to any other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from domain.access.access_key import Actor
from domain.access.key_ring import RevokeKey, RotateKey
from domain.access.key_text import hash_of
from domain.access.scopes import AccessScope
from domain.changes import Cursor
from domain.commands import Delete, Restore
from domain.deliveries import DeliveryStatus
from domain.entity_type import Field
from domain.errors import BadCursor, CursorExpired, Unavailable
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Condition, Operator, Order, Query
from domain.snapshot import (
    Changes,
    Credentials,
    Entities,
    Export,
    FormerCursors,
    Import,
    Keys,
    Metadata,
    NotEmpty,
    Part,
    Positions,
    Receipts,
    Sent,
)
from domain.task import TASK
from domain.use_cases.move import Different, SameLog, Undecided, is_kept, move
from domain.webhook import WEBHOOK, RequireExists
from entrypoints.wiring import exporting, importing
from tests.builders import LATER, NOON, Clock, create, submission
from tests.contract.places import NAMES, PLACES, emptied, moved, opened
from tests.contract.shelves import LISTED, stock_up
from tests.contract.steps import carry_out, edit, fill, pending, positions_of, trail, walk, whole_log
from tests.contract.stores import Doors
from tests.contract.test_access_keys import new
from tests.contract.test_deliveries import LEASE, attempt, delivery
from tests.contract.test_keys import key, replayed
from tests.contract.test_state_machine import StoreMachine

pytestmark = pytest.mark.anyio

PAIRS = list(product(PLACES, PLACES))
YOUNG = NOON + timedelta(days=1)
LAST = YOUNG + timedelta(days=1)


@pytest.fixture(params=PAIRS, ids="-".join)
async def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Return two empty places, of each pair of stores."""
    left, right = (PLACES[name] for name in request.param)
    return await left(tmp_path, NAMES[0]), await right(tmp_path, NAMES[1])


@pytest.fixture
def source(urls: tuple[str, str]) -> str:
    """Return the place from which it is moved."""
    return urls[0]


@pytest.fixture
def target(urls: tuple[str, str]) -> str:
    """Return the place to which it is moved."""
    return urls[1]


@pytest.fixture
def clock() -> Clock:
    """Return the clock of all stores."""
    return Clock()


@pytest.fixture
async def store(source: str, clock: Clock) -> AsyncIterator[Store]:
    """Open the store that will be moved."""
    store = await opened(source, clock)
    yield store
    await store.close()


@pytest.fixture
async def arrived(source: str, target: str, clock: Clock) -> AsyncIterator[Callable[[], Any]]:
    """Give what moves the store, and opens it where it arrived."""
    stores: list[Store] = []

    async def arrive() -> Store:
        await moved(source, target)
        stores.append(await opened(target, clock))
        return stores[-1]

    yield arrive
    for each in stores:
        await each.close()


async def live(store: Store, clock: Clock) -> None:
    """Do everything to a store that leaves something behind, and forget the oldest of it."""
    for entity_type in (TASK, PRODUCT):
        await stock_up(store, entity_type, clock)
    await carry_out(store, create(WEBHOOK))
    await store.purge(NOON, changes_before=NOON.replace(microsecond=1))
    clock.now = YOUNG
    await carry_out(
        store, Delete(entity_type=TASK, id=3), Delete(entity_type=PRODUCT, id=2), edit(TASK, 1, title="\u2068é\u2069")
    )
    await carry_out(store, Restore(entity_type=TASK, id=3), create(TASK, title="last"), key=key())
    await carry_out(store, create(WEBHOOK, url="https://example.com/two"))
    await carry_out(store, create(WEBHOOK, url="https://example.com/three"), Delete(entity_type=TASK, id=4))
    last = (
        len((await store.page(Query(entity_type=TASK, order=(Order(TASK.by_name["id"], descending=True),)))).records)
        + 1
    )
    await carry_out(
        store, Delete(entity_type=TASK, id=last), Delete(entity_type=WEBHOOK, id=3), key=key("other", caller="you")
    )
    place = (await store.read(None, limit=2)).cursor
    assert await store.deliveries.claim(1, "p", LEASE)
    done = delivery(
        status=DeliveryStatus.DELIVERED, attempts=(attempt(), attempt(status=None, error="no")), after=place
    )
    assert await store.deliveries.record(1, "p", delivery=done, position=place)
    waiting = delivery("d2", after=place, next_attempt_at=LATER, attempts=(attempt(at=NOON.replace(microsecond=7)),))
    assert await store.deliveries.record(1, "p", delivery=waiting)
    await store.submit(
        submission(RequireExists(id=2), deliveries=(delivery("d3", webhook=2, requested=True, after=None),))
    )
    for number in range(3):
        await store.access_keys.change(new(f"s{number}", AccessScope.WRITE, expires_at=LAST if number else None))
    await store.access_keys.open_session(hash_of("t"), hash_of("s0"))
    await store.access_keys.change(RotateKey(id=2, secret="s3"))
    await store.access_keys.change(RevokeKey(id=3))
    await store.access_keys.touch({1: clock.now})
    await carry_out(store, create(TASK), actor=Actor(1, "till 2"))


async def everything(store: Store) -> list[Any]:
    """Return everything that can be read of a store without cursors."""
    orders = [(entity_type, Order(field, descending=down)) for entity_type, field in LISTED for down in (False, True)]
    entries = [*await whole_log(store), *(await store.read(None, types=frozenset(WEBHOOK.change_types))).entries]
    positions = await positions_of(store)
    return [
        [await walk(store, Query(entity_type=entity_type, order=(order,), limit=5)) for entity_type, order in orders],
        [
            (await store.page(Query(entity_type=entity_type, search="x", total=True))).records
            for entity_type in (TASK, PRODUCT, WEBHOOK)
        ],
        [entry.change for entry in entries],
        [
            [each.change for each in await store.history(entity_type, id)]
            for entity_type in (TASK, WEBHOOK)
            for id in range(30)
        ],
        {id: await trail(store, position) for id, position in positions.items()},
        [await store.deliveries.history(id) for id in sorted(positions)],
        [await pending(store, id) for id in sorted(positions)],
        await trail(store, await store.deliveries.needed()),
        await store.secret(),
        await store.access_keys.keys(),
        [await store.access_keys.look_up(hash_of(each)) for each in ("s0", "s1", "s2", "s3", "t", "x")],
    ]


async def ends(store: Store, field: Field, value: object) -> list[Any]:
    """Return the tasks that have a value."""
    return await walk(store, Query(entity_type=TASK, where=(Condition(field, Operator.EQ, value),)))


async def test_everything_moves(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """Documents, versions, histories, the log, positions, deliveries and the secret are the same, in every order."""
    await live(store, clock)
    there = await arrived()
    assert await everything(store) == await everything(there)
    for day in (date.min, date.max):  # which PostgreSQL could take as infinite
        found = await ends(there, TASK.by_name["due"], day)
        assert await ends(store, TASK.by_name["due"], day) == found != []
    assert await there.page(Query(entity_type=TASK, limit=3)) != await there.page(Query(entity_type=TASK))


async def test_life_goes_on(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """Keys are replayed, ids go on behind the highest that was ever given, deleted ones can be restored."""
    await live(store, clock)
    given = max(each.change.record.id for each in await whole_log(store) if each.change.entity_type is TASK)
    there = await arrived()
    for each in (key(), key("other", caller="you")):
        assert await replayed(store, each) == await replayed(there, each)
    made, hook, back = await carry_out(there, create(TASK), create(WEBHOOK), Restore(entity_type=TASK, id=4))
    assert made.id > given
    assert (4, 3) == (hook.id, back.version)
    assert ("task.created", made.id, 1) == (await trail(there))[-2]
    positions = await positions_of(there)
    assert [] == await trail(there, positions[4])
    assert await there.deliveries.claim(1, "another", LEASE)


async def test_it_is_found_by_what_it_holds(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """Searching goes on too, also for what is written, changed and deleted after the move."""
    await fill(store, TASK, {"title": "Buy milk"}, {"title": "Sell milk"}, {"title": "Drink milk"})
    there = await arrived()
    await carry_out(
        there, edit(TASK, 1, title="Buy bread"), Delete(entity_type=TASK, id=2), create(TASK, title="Oat milk")
    )
    found = await walk(there, Query(entity_type=TASK, search="milk"))
    assert {"Drink milk", "Oat milk"} == {each.title for each in found}


async def test_an_empty_store(store: Store, arrived: Callable[[], Any]) -> None:
    """Even nothing can be moved: the secret, and where the log begins."""
    start, secret = await store.head(), await store.secret()
    there = await arrived()
    await fill(there, TASK, {})
    assert (secret, 1) == (await there.secret(), len(await trail(there, start)))


async def told(store: Store, cursor: Cursor) -> list[Any]:
    """Return the changes behind a cursor."""
    return [entry.change for entry in await whole_log(store, cursor)]


async def test_followers_go_on(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """Each cursor of the original leads to the same changes in the copy, and to what comes after."""
    await live(store, clock)
    cursors = [await store.oldest(), *(each.cursor for each in await whole_log(store)), await store.head()]
    page = (await store.page(Query(entity_type=TASK))).changes
    rest = [await told(store, each) for each in (*cursors, page)]
    there = await arrived()
    assert rest == [await told(there, each) for each in (*cursors, page)]
    end = (await there.read(page)).cursor
    assert [await there.head()] * 2 == [end, (await there.read(end)).cursor]
    watching = asyncio.ensure_future(there.wait_for_changes(end))
    await fill(there, TASK, {})
    await watching
    await there.wait_for_changes(page)
    assert 1 == len((await there.read(page)).entries)


async def test_what_was_not_moved_cannot_be_followed(store: Store, arrived: Callable[[], Any]) -> None:
    """A cursor that the original gave after it was moved has expired in the copy, whatever became of both."""
    await fill(store, TASK, {}, {})
    there = await arrived()
    await fill(store, TASK, {}, {})
    await fill(there, TASK, {}, {})
    late = await store.head()
    with pytest.raises(CursorExpired):
        await there.read(late)
    await there.wait_for_changes(late)
    with pytest.raises(BadCursor):
        await store.read(await there.head())
    for none in ("", "-", late.partition("-")[0], late + "-", late + "\x00", late + "\udc80", "0" * 16 + "-1"):
        with pytest.raises((BadCursor, CursorExpired)):
            await there.read(Cursor(none))


async def test_cursors_expire_with_their_changes(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """What is forgotten after the move cannot be followed any more, by any of its cursors; the rest can."""
    await fill(store, TASK, {})
    start = await store.oldest()
    clock.now = LATER
    between = await store.head()
    await fill(store, TASK, {})
    there = await arrived()
    await there.purge(LATER, changes_before=LATER)
    with pytest.raises(CursorExpired):
        await there.read(start)
    assert [("task.created", 2, 1)] == await trail(there, between)
    await there.purge(LATER, changes_before=YOUNG)
    with pytest.raises(CursorExpired):
        await there.read(between)


async def test_moving_on(store: Store, source: str, target: str, tmp_path: Path, clock: Clock) -> None:
    """A store can be moved again, and still knows the cursors of the first log."""
    await live(store, clock)
    first = (await store.read(None, limit=1)).cursor
    await moved(source, target)
    there = await opened(target, clock)
    second = (await there.read(None, limit=2)).cursor
    before = await everything(there)
    rest = [await told(there, each) for each in (first, second)]
    await store.close()
    await there.close()
    await moved(target, await emptied(source, tmp_path))
    again = await opened(source, clock)
    assert before == await everything(again)
    assert rest == [await told(again, each) for each in (first, second)]
    await again.close()


async def test_one_moment(store: Store, source: str, target: str, clock: Clock) -> None:
    """What is written while it is moved is not moved, not even half of it."""
    await live(store, clock)
    before = await everything(store)
    async with exporting(source) as telling, importing(target) as taking:
        size = await telling.size()
        reading = telling.read()
        await taking.write(await anext(reading))
        await carry_out(store, create(TASK), create(WEBHOOK), Delete(entity_type=PRODUCT, id=1), key=key("late"))
        await store.submit(submission(RequireExists(id=2), deliveries=(delivery("late", webhook=2, requested=True),)))
        await store.purge(YOUNG, changes_before=LATER)
        async for part in reading:
            await taking.write(part)
        assert size == await telling.size()
        await taking.arrange()
        async for original, copy in both(telling, taking.taken):
            assert is_kept(original, copy)
        await taking.commit()
    there = await opened(target, clock)
    assert before == await everything(there)
    await there.close()


async def both(one: Export, other: Export) -> AsyncIterator[tuple[Part, Part]]:
    """Read two side by side."""
    others = other.read()
    async for part in one.read():
        yield part, await anext(others)


async def test_a_target_with_something_in_it(
    store: Store, source: str, target: str, tmp_path: Path, clock: Clock
) -> None:
    """What holds an entity, or did, or only a receipt or a key, is refused and stays as it is."""
    await live(store, clock)
    task, receipt = submission(create(TASK)), submission(Delete(entity_type=TASK, id=9), key=key())
    begin: Callable[[Store], Any]
    for begin in (
        lambda there: there.submit(task),
        lambda there: there.submit(receipt),
        lambda there: there.access_keys.change(new()),
    ):
        there = await opened(await emptied(target, tmp_path), clock)
        await begin(there)
        before = await everything(there)
        with pytest.raises(NotEmpty):
            await moved(source, target)
        assert before == await everything(there)
        await there.close()


async def test_what_took_over_little_is_not_empty(
    store: Store, source: str, target: str, clock: Clock, arrived: Callable[[], Any]
) -> None:
    """Nothing is moved on top of a store that was moved there, even where no change of it is kept, or nothing was."""
    await fill(store, TASK, {})
    await store.purge(LATER, changes_before=LATER)
    there = await arrived()
    with pytest.raises(NotEmpty):
        await moved(source, target)
    assert await everything(store) == await everything(there)


async def test_what_took_over_nothing_is_not_empty(
    store: Store, source: str, target: str, arrived: Callable[[], Any]
) -> None:
    """It goes on with the secret and the cursors of the other."""
    there = await arrived()
    await fill(store, TASK, {})
    with pytest.raises(NotEmpty):
        await moved(source, target)
    assert await store.secret() == await there.secret()


async def test_a_store_is_not_moved_to_itself(store: Store, source: str) -> None:
    """Also where nothing is in it; else its own cursors would be former ones, of which nothing is known."""
    with pytest.raises((SameLog, Unavailable)):
        await moved(source, source)
    start = await store.head()
    await fill(store, TASK, {})
    assert [("task.created", 1, 1)] == await trail(store, start)


async def test_two_at_once(store: Store, source: str, target: str, clock: Clock) -> None:
    """The second waits for the first, and is refused then."""
    await fill(store, TASK, {})
    async with exporting(source) as telling, importing(target) as taking:
        second = asyncio.ensure_future(moved(source, target))
        await move(telling, taking, lambda *_: None)
    with pytest.raises(NotEmpty):
        await second
    there = await opened(target, clock)
    assert [("task.created", 1, 1)] == await trail(there)
    await there.close()


async def test_two_that_begin_together(store: Store, source: str, target: str, clock: Clock) -> None:
    """One of them moves everything, and the other is refused, though both found the target empty at first."""
    await live(store, clock)
    done = await asyncio.gather(moved(source, target), moved(source, target), return_exceptions=True)
    assert {int, NotEmpty} == {type(each) for each in done}
    there = await opened(target, clock)
    assert await everything(store) == await everything(there)
    await there.close()


async def test_an_interruption_leaves_nothing(store: Store, source: str, target: str, clock: Clock) -> None:
    """Whatever has been written is gone, and the place is as good as new."""
    await live(store, clock)
    async with exporting(source) as telling, importing(target) as taking:
        async for part in telling.read():
            await taking.write(part)
        await taking.arrange()
    there = await opened(target, clock)
    assert ([], {}) == (await trail(there), await positions_of(there))
    assert await store.secret() != await there.secret()
    assert () == (await there.page(Query(entity_type=TASK))).records
    await there.close()
    await moved(source, target)
    there = await opened(target, clock)
    assert await everything(store) == await everything(there)
    await there.close()


async def test_cancelling(store: Store, source: str, target: str, clock: Clock) -> None:
    """Who gives up in the middle leaves nothing either, and can begin again at once."""
    await live(store, clock)
    waiting = asyncio.Event()

    def report(what: str, done: int, total: int) -> None:
        if what == "comparing":
            waiting.set()

    async def working() -> None:
        async with exporting(source) as telling, importing(target) as taking:
            await move(telling, taking, report)

    task = asyncio.ensure_future(working())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await moved(source, target)
    there = await opened(target, clock)
    assert await everything(store) == await everything(there)
    await there.close()


@define
class Careless(Import):
    """Takes something else than it is told."""

    taking: Import
    distort: Callable[[Part], Part | None]

    async def write(self, part: Part) -> None:
        distorted = self.distort(part)
        if distorted is not None:
            await self.taking.write(distorted)

    async def arrange(self) -> None:
        await self.taking.arrange()

    @property
    def taken(self) -> Export:
        return self.taking.taken

    async def commit(self) -> None:
        await self.taking.commit()


class Lost(Careless):
    """Is lost when it is to commit."""

    async def commit(self) -> None:
        raise Unavailable


async def test_lost_in_the_moment_of_the_commit(store: Store, source: str, target: str) -> None:
    """Nobody is told that nothing was moved, where nobody knows."""
    await fill(store, TASK, {})
    with pytest.raises(Undecided, match="if it is not empty now, everything was moved"):
        async with exporting(source) as telling, importing(target) as taking:
            await move(telling, Lost(taking, lambda part: part), lambda *_: None)


def without_the_last(part: Part) -> Part | None:
    """Lose a change, which none but the comparison would notice."""
    return evolve(part, changes=part.changes[:-1]) if isinstance(part, Changes) else part


def at_another_time(part: Part) -> Part | None:
    """Keep all of each change but when it was made."""
    if isinstance(part, Changes):
        later = (evolve(each, at=each.at + timedelta(hours=1)) for each in part.changes)
        return evolve(part, changes=tuple(later))
    return part


def with_another_document(part: Part) -> Part | None:
    """Write a document differently, though it means the same."""
    match part:
        case Entities(records=(first, *rest)):
            return evolve(part, records=(first._replace(document=first.document.replace(":", ": ", 1)), *rest))
    return part


def under_another_number(part: Part) -> Part | None:
    """Let a cursor mean something else."""
    if isinstance(part, FormerCursors):
        return FormerCursors(numbers={cursor: number + 1 for cursor, number in part.numbers.items()})
    return part


def with_other_ends(part: Part) -> Part | None:
    """Let a former name mean more than it did."""
    if isinstance(part, Metadata):
        return evolve(part, logs={name: (newest or 0) + 1 for name, newest in part.logs.items()})
    return part


DISTORTIONS: dict[str, Callable[[Part], Part | None]] = {
    "change": without_the_last,
    "time": at_another_time,
    "document": with_another_document,
    "cursors": under_another_number,
    "forgotten": lambda part: evolve(part, forgotten=part.forgotten + 1) if isinstance(part, Metadata) else part,
    "names": with_other_ends,
    "logs": lambda part: evolve(part, logs={}) if isinstance(part, Metadata) else part,
    "secret": lambda part: evolve(part, secret=bytes(32)) if isinstance(part, Metadata) else part,
    "ids": lambda part: (
        evolve(part, last_ids={**part.last_ids, "task": part.last_ids["task"] - 1})
        if isinstance(part, Metadata)
        else part
    ),
    "entities": lambda part: None if isinstance(part, Entities) and part.entity_type is PRODUCT else part,
    "receipts": lambda part: None if isinstance(part, Receipts) else part,
    "keys": lambda part: (
        evolve(part, keys=(evolve(part.keys[0], name="x"), *part.keys[1:])) if isinstance(part, Keys) else part
    ),
    "credentials": lambda part: (
        evolve(part, credentials=part.credentials[1:]) if isinstance(part, Credentials) else part
    ),
    "positions": lambda part: (
        Positions(numbers=dict.fromkeys(part.numbers, 0)) if isinstance(part, Positions) else part
    ),
    "deliveries": lambda part: None if isinstance(part, Sent) else part,
}


@pytest.mark.parametrize("what", DISTORTIONS)
async def test_a_difference_is_noticed(store: Store, source: str, target: str, clock: Clock, what: str) -> None:
    """A copy that is not the original is given up as a whole."""
    await live(store, clock)
    with pytest.raises(Different):
        async with exporting(source) as telling, importing(target) as taking:
            await move(Remembering(telling, {BEFORE: 7}), Careless(taking, DISTORTIONS[what]), lambda *_: None)
    there = await opened(target, clock)
    assert [] == await trail(there)
    await there.close()


BEFORE = Cursor("before-1.2.3")
"""A cursor of a log that did not number its changes."""


@define
class Remembering(Export):
    """Tells, beside all that a store holds, cursors of such a log, as a store does that has one behind it."""

    telling: Export
    cursors: dict[Cursor, int]

    async def size(self) -> int:
        return await self.telling.size() + len(self.cursors)

    async def read(self) -> AsyncIterator[Part]:
        cursors: Part | None = FormerCursors(numbers=self.cursors)
        async for part in self.telling.read():
            if cursors is not None and isinstance(part, Receipts | Positions):
                yield cursors
                cursors = None
            yield evolve(part, logs={**part.logs, "before": None}) if isinstance(part, Metadata) else part


async def test_cursors_that_were_no_numbers(
    store: Store, source: str, target: str, tmp_path: Path, clock: Clock
) -> None:
    """They move along as well, and on, and expire with their changes; others of the same log have expired."""
    await fill(store, TASK, {}, {})
    clock.now = LATER
    await fill(store, TASK, {})
    async with exporting(source) as telling, importing(target) as taking:
        cursors = {BEFORE: 2, Cursor("before-1.2.4-5.6"): 3}
        assert 8 == await move(Remembering(telling, cursors), taking, lambda *_: None)
    await store.close()
    await moved(target, await emptied(source, tmp_path))
    for url in (target, source):
        there = await opened(url, clock)
        assert [1, 0] == [len(await trail(there, each)) for each in cursors]
        await there.purge(LATER, changes_before=LATER)
        assert 1 == len(await trail(there, BEFORE))
        await there.purge(LATER, changes_before=YOUNG)
        for expired in (BEFORE, Cursor("before-1.2.5"), Cursor("before-3")):
            with pytest.raises(CursorExpired):
                await there.read(expired)
            await there.wait_for_changes(expired)
        await there.close()


@define
class Shrinking(Export):
    """Tells everything once, and from then on less."""

    telling: Export
    told: bool = False

    async def size(self) -> int:
        return await self.telling.size()

    async def read(self) -> AsyncIterator[Part]:
        parts = [part async for part in self.telling.read()]
        for part in parts[:-1] if self.told else parts:
            yield part
        self.told = True


async def test_a_surplus_is_noticed(store: Store, source: str, target: str, clock: Clock) -> None:
    """A copy that holds all of the original, and more, is given up as well."""
    await live(store, clock)
    with pytest.raises(Different):
        async with exporting(source) as telling, importing(target) as taking:
            await move(Shrinking(telling), taking, lambda *_: None)


async def test_large_ones_come_in_parts(store: Store, source: str, target: str, clock: Clock) -> None:
    """More than fits into one part arrives whole, and is reported as it goes."""
    for _ in range(2):
        await fill(store, TASK, *({"title": f"Task {number}"} for number in range(1000)))
    await carry_out(store, create(TASK, title="last"))
    said: list[tuple[str, int, int]] = []
    async with exporting(source) as telling, importing(target) as taking:
        assert 4002 == await move(telling, taking, lambda *what: said.append(what))
    steps = [0, 0, 1000, 2000, 2001, 3001, 4001, 4002, 4002]
    assert steps == [done for what, done, total in said if what == "comparing" and total == 4002]
    there = await opened(target, clock)
    assert [each.id for each in await walk(store, Query(entity_type=TASK))] == [
        each.id for each in await walk(there, Query(entity_type=TASK))
    ]
    assert await trail(store) == await trail(there)
    await there.close()


class MovingMachine(StoreMachine):
    """Moves the store now and then, in the middle of its life; nobody who uses it notices."""

    def __init__(self) -> None:
        self.moves = 0
        super().__init__(self.begin)

    @asynccontextmanager
    async def begin(self, folder: Path, _: Callable[[], datetime]) -> AsyncIterator[Doors]:
        """Open an empty store, twice, and in the end close the one that it has become."""
        self.folder = folder
        await self.enter(await PLACES["sqlite"](folder, NAMES[0]))
        yield self.doors
        await self.leave()

    async def enter(self, url: str) -> None:
        """Open the store at a place."""
        self.url = url
        self.doors = await opened(url, self.clock), await opened(url, self.clock)

    async def leave(self) -> None:
        """Close the store."""
        for door in self.doors:
            await door.close()

    @rule(name=st.sampled_from(sorted(PLACES)))
    def move(self, name: str) -> None:
        """Move to a place of any kind."""
        self.run(self.go(name))

    async def go(self, name: str) -> None:
        """Move, and go on there."""
        self.moves += 1
        target = await PLACES[name](self.folder, NAMES[self.moves % 2])
        await moved(self.url, target)
        await self.leave()
        await self.enter(target)


def test_nobody_notices() -> None:
    """Whatever is done, and however often the store is moved meanwhile, it agrees with a plain model of one store."""
    run_state_machine_as_test(MovingMachine, settings=settings(max_examples=30, stateful_step_count=30))
