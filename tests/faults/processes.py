"""Work of other processes on a store; run as `python -m tests.faults.processes WHAT PATH`."""

import asyncio
import subprocess
import sys
from pathlib import Path

from domain.commands import Delete
from domain.task import TASK
from tests.builders import create
from tests.contract.steps import carry_out, edit
from tests.faults.conftest import open_store

ROOT = Path(__file__).parents[2]


def start(what: str, path: Path) -> "subprocess.Popen[str]":
    """Start a process that works on a store and prints its results line by line."""
    command = [sys.executable, "-m", "tests.faults.processes", what, str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def open_and_write(folder: Path) -> None:
    """Open each store that a line names, create a task and print its id."""
    for name in sys.stdin:
        store = open_store(folder / name.strip())
        (made,) = await carry_out(store, create(TASK))
        await store.close()
        print(made.id, flush=True)


async def write_for_ever(path: Path) -> None:
    """Create tasks, 8 at a time, edit and delete some, and print each id and version once acknowledged."""
    store = open_store(path)

    async def writer(number: int) -> None:
        while True:
            (made,) = await carry_out(store, create(TASK, title=f"Task of {number}", notes="x" * 500))
            print(made.id, 1, flush=True)
            await carry_out(store, edit(TASK, made.id, title=f"Edited by {number}"))
            print(made.id, 2, flush=True)
            if made.id % 5 == 0:
                await carry_out(store, Delete(entity_type=TASK, id=made.id))
                print(made.id, 3, flush=True)

    await asyncio.gather(*map(writer, range(8)))


if __name__ == "__main__":
    asyncio.run({"open": open_and_write, "write": write_for_ever}[sys.argv[1]](Path(sys.argv[2])))
