"""Server (d): an ASGI application with one statement of asyncpg for each request. It is the limit for PostgreSQL.

Its pool does not reset returned connections, because that would cost each request another round trip.
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
    """GET …/{id} returns a row. POST ignores its body and creates a row."""

    pool: "asyncpg.Pool[Any]"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or open and close the pool."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["method"] == "POST":
            message = await receive()
            await answer(send, 201, str(await self.pool.fetchval(WRITE, message["body"].decode())).encode())
        elif document := await self.pool.fetchval(READ, int(scope["path"].rpartition("/")[2] or 1)):
            await answer(send, 200, document.encode())

    async def live(self, receive: Receive, send: Send) -> None:
        """Create a thousand rows at the start."""
        await receive()
        async with asyncpg.create_pool(os.environ["DSN"], min_size=0, max_size=CONNECTIONS, reset=kept) as self.pool:
            await self.pool.execute(SCHEMA)
            await self.pool.executemany(WRITE, [(BODY.decode(),)] * 1000)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def kept(_: object) -> None:
    """Keep a returned connection as it is."""


async def answer(send: Send, status: int, body: bytes) -> None:
    """Send a response."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = App()
