"""Moves of a store between any other steps."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.contract.locations import LOCATIONS, NAMES, moved, opened
from tests.contract.stores import Stores
from tests.contract.test_state_machine import StoreMachine


class MovingMachine(StoreMachine):
    """Moves the store between any other steps; its users notice nothing."""

    def __init__(self) -> None:
        self.moves = 0
        super().__init__(self.begin)

    @asynccontextmanager
    async def begin(self, folder: Path, _: Callable[[], datetime]) -> AsyncIterator[Stores]:
        """Open an empty store twice; at the end close its last copy."""
        self.folder = folder
        await self.enter(await LOCATIONS["sqlite"](folder, NAMES[0]))
        yield self.stores
        await self.leave()

    async def enter(self, url: str) -> None:
        """Open the store at a URL."""
        self.url = url
        self.stores = await opened(url, self.clock), await opened(url, self.clock)

    async def leave(self) -> None:
        """Close the store."""
        for door in self.stores:
            await door.close()

    @rule(name=st.sampled_from(sorted(LOCATIONS)))
    def move(self, name: str) -> None:
        """Move to an empty target of any store."""
        self.run(self.go(name))

    async def go(self, name: str) -> None:
        """Move, and go on with the copy."""
        self.moves += 1
        target = await LOCATIONS[name](self.folder, NAMES[self.moves % 2])
        await moved(self.url, target)
        await self.leave()
        await self.enter(target)


def test_users_notice_no_move() -> None:
    """A store agrees with a plain model after any steps and any number of moves."""
    run_state_machine_as_test(MovingMachine, settings=settings(max_examples=30, stateful_step_count=30))
