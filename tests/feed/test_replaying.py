"""A list and every later change give the store's state, at every step, on every store, in every way of following."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import define, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from domain.commands import Delete, Restore
from domain.entity_type import EntityType
from domain.product import PRODUCT
from domain.stock import AdjustStock
from domain.task import TASK
from tests.builders import Clock, create
from tests.contract.steps import edit, outcome
from tests.contract.stores import STORES, Opener
from tests.feed.service import Closed, Service, serving
from tests.feed.steps import forget

ENTITY_TYPES: dict[str, EntityType[Any]] = {"/tasks": TASK, "/products": PRODUCT}
Entities = dict[int, dict[str, Any]]

stores = st.integers(0, 1)
paths = st.sampled_from(sorted(ENTITY_TYPES))
ids = st.integers(1, 6)


@define
class Copy:
    """A client's copy of a collection: a list read once, and every change since then."""

    entities: Entities
    changes: str

    def apply(self, change: dict[str, Any]) -> None:
        """Apply a change, which must be the next one of its entity."""
        before = self.entities.pop(change["id"], None)
        assert before is None or change["version"] == before["version"] + 1
        assert (before is None) == change["type"].endswith(("created", "restored"))
        if not change["type"].endswith("deleted"):
            self.entities[change["id"]] = change["data"]


@define
class Copies:
    """Two copies of each collection: one catches up after every step, the other now and then."""

    often: dict[str, Copy] = field(factory=dict)
    seldom: dict[str, Copy] = field(factory=dict)


class Replaying(RuleBasedStateMachine):
    """Writes and follows in two processes of the service."""

    def __init__(self, opener: Opener) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.copies = Copies()
        self.runner.run(self.open(opener))

    async def open(self, opener: Opener) -> None:
        """Open the store and make the first copies."""
        folder = Path(self.stack.enter_context(TemporaryDirectory()))
        self.stores = await self.stack.enter_async_context(opener(folder, Clock()))
        self.services = [await self.stack.enter_async_context(serving(store)) for store in self.stores]
        for path in ENTITY_TYPES:
            self.copies.often[path] = await listed(self.services[0], path)
            self.copies.seldom[path] = await listed(self.services[1], path)

    def teardown(self) -> None:
        """Let every copy catch up, and close everything."""
        for path in ENTITY_TYPES:
            for door in (0, 1):
                self.catch_up(path, door)
            assert self.copies.often[path].entities == self.copies.seldom[path].entities
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def submit(self, door: int, *commands: Any) -> None:
        """Submit commands, some of which may fail."""
        self.runner.run(outcome(self.stores[door], *commands))

    @rule(door=stores, path=paths, number=st.integers(1, 3))
    def create(self, door: int, path: str, number: int) -> None:
        self.submit(door, *(create(ENTITY_TYPES[path]) for _ in range(number)))

    @rule(door=stores, path=paths, id=ids, text=st.sampled_from("ab"))
    def edit(self, door: int, path: str, id: int, text: str) -> None:
        entity_type = ENTITY_TYPES[path]
        self.submit(door, edit(entity_type, id, **{entity_type.searched[-1].name: text}))

    @rule(door=stores, path=paths, id=ids)
    def delete(self, door: int, path: str, id: int) -> None:
        self.submit(door, Delete(entity_type=ENTITY_TYPES[path], id=id))

    @rule(door=stores, path=paths, id=ids)
    def restore(self, door: int, path: str, id: int) -> None:
        self.submit(door, Restore(entity_type=ENTITY_TYPES[path], id=id))

    @rule(door=stores, id=ids)
    def sell(self, door: int, id: int) -> None:
        self.submit(door, edit(PRODUCT, id, stock=3), AdjustStock(id=id, change=-2), AdjustStock(id=id, change=-2))

    @rule(door=stores)
    def purge(self, door: int) -> None:
        self.runner.run(forget(self.stores[door]))

    @rule(path=paths, door=stores)
    def catch_up(self, path: str, door: int) -> None:
        """Let the slow copy catch up over a WebSocket. If its cursor has expired, it reads the list again."""
        self.runner.run(self._catch_up(path, self.services[door]))

    async def _catch_up(self, path: str, service: Service) -> None:
        copy = self.copies.seldom[path]
        try:
            await followed(service, copy)
        except Closed as closed:
            if closed.code != 4410:
                raise
            copy = self.copies.seldom[path] = await listed(service, path)
        assert copy.entities == (await listed(service, path)).entities

    @invariant()
    def the_other_copy_is_the_store(self) -> None:
        """Poll after every step, in either process. A purge takes only changes that this copy has read."""
        for path, copy in self.copies.often.items():
            for service in self.services:
                self.runner.run(polled(service, copy))
                assert copy.entities == self.runner.run(listed(service, path)).entities


async def listed(service: Service, path: str) -> Copy:
    """Return a collection in its current state."""
    _, page = await service.get(path)
    rows = page["tasks"] if path == "/tasks" else page["products"].values()
    return Copy({each["id"]: each for each in rows}, page["changes"])


async def polled(service: Service, copy: Copy) -> None:
    """Poll, and apply every change since the copy was made."""
    path, _, types = copy.changes.partition("&")
    while True:
        status, answer = await service.get(f"{path}&{types}&limit=2")
        assert 200 == status
        for change in answer["changes"]:
            copy.apply(change)
        path = f"/changes?after={answer['cursor']}"
        copy.changes = f"{path}&{types}"
        if not answer["changes"]:
            return


async def followed(service: Service, copy: Copy) -> None:
    """Follow a WebSocket, and apply every change until `ready`."""
    _, _, query = copy.changes.partition("?")
    socket = await service.socket(query)
    while (message := await socket.message())["type"] != "ready":
        copy.apply(message)
    copy.changes = f"/changes?after={message['cursor']}&{query.partition('&')[2]}"
    await socket.connection.leave()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("store", STORES)
def test_replaying_the_log_over_the_list(store: str) -> None:
    """A copy that follows equals the store, after any writes, and even if the copy reads late."""

    class OnStore(Replaying):
        def __init__(self) -> None:
            super().__init__(STORES[store])

    run_state_machine_as_test(
        OnStore,
        settings=settings(max_examples=25, stateful_step_count=30),
    )
