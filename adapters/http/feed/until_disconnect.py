"""Work for a client that ends when the client disconnects."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.types import Receive

_DISCONNECTS = ("http.disconnect", "websocket.disconnect")


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do the work to its end, or until the client disconnects. Messages of the client are ignored meanwhile.

    Raises what the work does.
    """
    tasks = {asyncio.create_task(work), asyncio.create_task(_left(receive))}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] not in _DISCONNECTS:
        pass
