"""A log whose calls can be delayed or made to fail."""

import asyncio
from collections.abc import Set
from typing import Any

from attrs import define, field

from domain.changes import Cursor, Entry
from domain.entity_type import EntityType
from domain.ports import ChangeLog, LogPage, Store
from tests.feed.steps import until


@define(eq=False)
class ObstructedLog(ChangeLog):
    """The log of a store. Calls named in `held` wait until `let_go`; those in `failing` raise an error."""

    store: Store
    held: set[str] = field(factory=set)
    failing: dict[str, Exception] = field(factory=dict)
    calls: list[str] = field(factory=list)
    _changed: asyncio.Event = field(factory=asyncio.Event, init=False)

    def let_go(self) -> None:
        """Let all held calls go on."""
        self.held.clear()
        self._changed.set()
        self._changed = asyncio.Event()

    async def called(self, name: str, times: int = 1) -> None:
        """Return once the named call has happened this many times."""
        await until(lambda: self.calls.count(name) >= times)

    async def read(self, after: Cursor | None, *, types: Set[str] = frozenset(), limit: int = 1000) -> LogPage:
        await self._pass("read")
        return await self.store.read(after, types=types, limit=limit)

    async def head(self, *, before: int = 0) -> Cursor:
        await self._pass("head")
        return await self.store.head(before=before)

    async def oldest(self) -> Cursor:
        await self._pass("oldest")
        return await self.store.oldest()

    async def history(
        self, entity_type: EntityType[Any], id: int, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        return await self.store.history(entity_type, id, after=after, limit=limit)

    async def wait_for_changes(self, seen: Cursor) -> None:
        await self._pass("wait_for_changes")
        await self.store.wait_for_changes(seen)

    async def _pass(self, name: str) -> None:
        self.calls.append(name)
        while name in self.held:
            await self._changed.wait()
        if name in self.failing:
            raise self.failing[name]
