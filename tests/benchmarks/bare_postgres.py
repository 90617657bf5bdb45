"""Server (d): an ASGI application with one statement of asyncpg for each request. The limit in front of PostgreSQL.

Its pool does not reset connections when they come back, which would cost each request another round trip.
"""

import os
from typing import Any

import asyncpg
from starlette.types import Receive, Scope, Send

from tests.benchmarks.bare import BODY

SCHEMA = "CREATE TABLE IF NOT EXISTS bare (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, document text NOT NULL)"
READ = "SELECT document FROM bare WHERE id = $1"
WRITE = "INSERT INTO bare (document) VALUES ($1) RETURNING id"
CONNECTIONS = 10  # as many as (c) has


class App:
    """GET …/{id} answers with a row, and POST, whose body is not looked at, makes one."""

    pool: "asyncpg.Pool[Any]"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or open and close the pool."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["method"] == "POST":
            message = await receive()
            await answer(send, 201, str(await self.pool.fetchval(WRITE, message["body"].decode())).encode())
        elif document := await self.pool.fetchval(READ, int(scope["path"].rpartition("/")[2] or 1)):
            await answer(send, 200, document.encode())

    async def live(self, receive: Receive, send: Send) -> None:
        """Begin with a thousand rows."""
        await receive()
        async with asyncpg.create_pool(os.environ["DSN"], min_size=0, max_size=CONNECTIONS, reset=kept) as self.pool:
            await self.pool.execute(SCHEMA)
            await self.pool.executemany(WRITE, [(BODY.decode(),)] * 1000)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def kept(_: object) -> None:
    """Leave a connection as it is."""


async def answer(send: Send, status: int, body: bytes) -> None:
    """Send an answer."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = App()
