"""Nothing is found in a store that only the program wrote."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.stores import STORES, Opener, Stores
from tests.contract.test_state_machine import StoreMachine
from tests.databases import SHARED, shared_databases
from tests.inspection.populated import found, said


def verified_at_the_end(name: str) -> Opener:
    """Return what opens a store, and verifies it after it was used."""

    @asynccontextmanager
    async def open_store(folder: Path, clock: Callable[[], datetime]) -> AsyncIterator[Stores]:
        async with STORES[name](folder, clock) as stores:
            yield stores
        url = f"sqlite:///{folder}/backroom.db" if name == "sqlite" else shared_databases().server.dsn(SHARED)
        assert [] == said(await found(url))

    return open_store


@pytest.mark.parametrize("name", ["sqlite", "postgres"])
def test_whatever_is_written_is_sound(name: str) -> None:
    """After any commands in any order, purges and jumps of the clock, nothing is found."""
    machine: Any = partial(StoreMachine, verified_at_the_end(name))
    run_state_machine_as_test(machine, settings=settings(max_examples=30, stateful_step_count=30))
