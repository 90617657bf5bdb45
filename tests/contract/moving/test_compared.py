"""The copy is compared with the original before the commit."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, evolve

from domain.changes import Cursor
from domain.errors import CursorExpired
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Query
from domain.snapshot import (
    AllCalendars,
    AllDeliveries,
    Changes,
    Credentials,
    Entities,
    Export,
    FormerCursors,
    Keys,
    Metadata,
    Part,
    Positions,
    StoredOutcomes,
)
from domain.task import TASK
from domain.use_cases.move import Different, move
from entrypoints.stores import exporting, importing
from tests.builders import LATER, Clock, create
from tests.contract.locations import emptied, moved, opened
from tests.contract.moving.careless import Careless
from tests.contract.moving.histories import YOUNG, make_history
from tests.contract.steps import carry_out, fill, trail, walk

pytestmark = pytest.mark.anyio


def without_the_last(part: Part) -> Part | None:
    """Lose a change; only the comparison can notice this."""
    return evolve(part, changes=part.changes[:-1]) if isinstance(part, Changes) else part


def at_another_time(part: Part) -> Part | None:
    """Alter the time of each change."""
    if isinstance(part, Changes):
        later = (evolve(each, at=each.at + timedelta(hours=1)) for each in part.changes)
        return evolve(part, changes=tuple(later))
    return part


def with_another_document(part: Part) -> Part | None:
    """Write an equal document in another form."""
    match part:
        case Entities(records=(first, *rest)):
            return evolve(part, records=(first._replace(document=first.document.replace(":", ": ", 1)), *rest))
    return part


def under_another_number(part: Part) -> Part | None:
    """Alter the meaning of a cursor."""
    if isinstance(part, FormerCursors):
        return FormerCursors(numbers={cursor: number + 1 for cursor, number in part.numbers.items()})
    return part


def with_other_ends(part: Part) -> Part | None:
    """Let a former name cover more changes than it did."""
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
    "receipts": lambda part: None if isinstance(part, StoredOutcomes) else part,
    "keys": lambda part: (
        evolve(part, keys=(evolve(part.keys[0], name="x"), *part.keys[1:])) if isinstance(part, Keys) else part
    ),
    "credentials": lambda part: (
        evolve(part, credentials=part.credentials[1:]) if isinstance(part, Credentials) else part
    ),
    "calendars": lambda part: evolve(part, calendars=part.calendars[:-1]) if isinstance(part, AllCalendars) else part,
    "positions": lambda part: (
        Positions(numbers=dict.fromkeys(part.numbers, 0)) if isinstance(part, Positions) else part
    ),
    "deliveries": lambda part: None if isinstance(part, AllDeliveries) else part,
}


@pytest.mark.parametrize("what", DISTORTIONS)
async def test_a_difference_is_noticed(store: Store, source: str, target: str, clock: Clock, what: str) -> None:
    """A copy that differs from the original is rolled back."""
    await make_history(store, clock)
    with pytest.raises(Different):
        async with exporting(source) as export, importing(target) as importer:
            await move(Remembering(export, {BEFORE: 7}), Careless(importer, DISTORTIONS[what]), lambda *_: None)
    there = await opened(target, clock)
    assert [] == await trail(there)
    await there.close()


BEFORE = Cursor("before-1.2.3")
"""A cursor of a log that did not number its changes."""


@define
class Remembering(Export):
    """Exports all data of a store, and cursors of a log that was not numbered."""

    export: Export
    cursors: dict[Cursor, int]

    async def size(self) -> int:
        return await self.export.size() + len(self.cursors)

    async def read(self) -> AsyncIterator[Part]:
        cursors: Part | None = FormerCursors(numbers=self.cursors)
        async for part in self.export.read():
            if cursors is not None and isinstance(part, StoredOutcomes | Positions):
                yield cursors
                cursors = None
            yield evolve(part, logs={**part.logs, "before": None}) if isinstance(part, Metadata) else part


async def test_cursors_that_were_no_numbers(
    store: Store, source: str, target: str, tmp_path: Path, clock: Clock
) -> None:
    """Former cursors move along, twice, and expire with their changes; unknown ones of that log have expired."""
    await fill(store, TASK, {}, {})
    clock.now = LATER
    await fill(store, TASK, {})
    async with exporting(source) as export, importing(target) as importer:
        cursors = {BEFORE: 2, Cursor("before-1.2.4-5.6"): 3}
        assert 8 == await move(Remembering(export, cursors), importer, lambda *_: None)
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
    """Exports everything once, and less after that."""

    export: Export
    told: bool = False

    async def size(self) -> int:
        return await self.export.size()

    async def read(self) -> AsyncIterator[Part]:
        parts = [part async for part in self.export.read()]
        for part in parts[:-1] if self.told else parts:
            yield part
        self.told = True


async def test_a_surplus_is_noticed(store: Store, source: str, target: str, clock: Clock) -> None:
    """A copy with additional data is rolled back."""
    await make_history(store, clock)
    with pytest.raises(Different):
        async with exporting(source) as export, importing(target) as importer:
            await move(Shrinking(export), importer, lambda *_: None)


async def test_large_ones_come_in_parts(store: Store, source: str, target: str, clock: Clock) -> None:
    """Data larger than one part arrives whole, with reports of progress."""
    for _ in range(2):
        await fill(store, TASK, *({"title": f"Task {number}"} for number in range(1000)))
    await carry_out(store, create(TASK, title="last"))
    said: list[tuple[str, int, int]] = []
    async with exporting(source) as export, importing(target) as importer:
        assert 4002 == await move(export, importer, lambda *what: said.append(what))
    steps = [0, 0, 1000, 2000, 2001, 3001, 4001, 4002, 4002]
    assert steps == [done for what, done, total in said if what == "comparing" and total == 4002]
    there = await opened(target, clock)
    assert [each.id for each in await walk(store, Query(entity_type=TASK))] == [
        each.id for each in await walk(there, Query(entity_type=TASK))
    ]
    assert await trail(store) == await trail(there)
    await there.close()
