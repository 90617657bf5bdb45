"""Steps that many tests of the feed share."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson

from adapters.serialization.changes import change_document
from domain.ports import Store
from domain.task import TASK
from tests.builders import LATER
from tests.contract.steps import fill, whole_log
from tests.feed.service import Closed, Connection, Socket


async def write(store: Store, changes: int) -> list[dict[str, Any]]:
    """Create tasks, one batch each, and return their changes as followers should get them."""
    for _ in range(changes):
        await fill(store, TASK, {})
    return (await documents(store))[-changes:]


async def documents(store: Store) -> list[dict[str, Any]]:
    """Return every change in the log, as followers should get it."""
    return [orjson.loads(change_document(each)) for each in await whole_log(store)]


async def forget(store: Store) -> None:
    """Purge every change."""
    while await store.purge(LATER, changes_before=LATER + timedelta(days=1)):
        pass


async def told(socket: Socket, messages: int) -> list[Any]:
    """Return this many messages."""
    return [await socket.message() for _ in range(messages)]


async def rest(socket: Socket) -> tuple[list[dict[str, Any]], int]:
    """Return the messages until the socket is closed, and its code."""
    found = []
    try:
        while True:
            found.append(await socket.message())
    except Closed as closed:
        return found, closed.code


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks run until a condition holds that nothing signals."""
    while not condition():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)


async def blocked(connection: Connection) -> None:
    """Return once a message is being sent that nobody reads."""
    await until(lambda: connection.is_blocked)
