"""Processes that write to a store concurrently; run as `python -m tests.postgres.processes DSN NUMBER`."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from domain.commands import Edit, Precondition
from domain.product import PRODUCT
from domain.stock import AdjustStock
from domain.task import TASK
from tests.builders import create
from tests.contract.steps import carry_out, outcome
from tests.databases import open_store

ROOT = Path(__file__).parents[2]

ROUNDS = 25
WRITERS = 4


def start(dsn: str, number: int) -> "subprocess.Popen[str]":
    """Start a process, which reports when it is ready, begins on demand, and goes on until its input ends.

    In the end it says how many rounds each of its writers made, at least `ROUNDS`.
    """
    command = [sys.executable, "-m", "tests.postgres.processes", dsn, str(number)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def write(dsn: str, process: str) -> None:
    """Write batches of three, edit a shared product, and lose races: for a version, and for a sku at the commit."""
    store = await open_store(dsn)
    print("ready", flush=True)
    sys.stdin.readline()
    ending = asyncio.create_task(asyncio.to_thread(sys.stdin.read))

    async def writer(name: str) -> int:
        number = 0
        while number < ROUNDS or not ending.done():
            title = f"{process} {name} {number}"
            await carry_out(store, create(TASK, title=title), AdjustStock(id=1, change=1), create(TASK, title=title))
            precondition = Precondition(frozenset({number + 1}))
            await outcome(store, Edit(entity_type=PRODUCT, id=1, values={"name": title}, precondition=precondition))
            await outcome(store, create(PRODUCT, sku=f"{name}-{number}"))
            number += 1
        return number

    rounds = await asyncio.gather(*(writer(str(name)) for name in range(WRITERS)))
    await store.close()
    print(json.dumps(rounds))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2]))
