"""A request body under the control of a test."""

import asyncio
from collections.abc import AsyncIterator

from attrs import define, field

from adapters.http.fairness.pending_bodies import PendingBodies
from tests.feed.steps import until
from tests.http.service import Client

JSON = {"Content-Type": "application/json"}
BODY = b'{"title":"a"}'


@define(eq=False)
class HeldBody:
    """A request to create a task, whose body arrives piece by piece as the test gives it."""

    client: Client
    address: str = "127.0.0.1"
    code: str = field(default="", init=False)
    task: asyncio.Task[int] = field(init=False)
    _pieces: asyncio.Queue[bytes] = field(factory=asyncio.Queue, init=False)

    async def begin(self, bodies: PendingBodies, piece: bytes = b"") -> "HeldBody":
        """Send the head and a piece, and return once the service has read them."""
        before = set(bodies._pending)
        self.task = asyncio.create_task(self._post())
        if piece:
            self.give(piece)
        await until(lambda: any(each.size == len(piece) for each in bodies._pending if each not in before))
        return self

    def give(self, piece: bytes) -> None:
        """Send a piece. An empty piece ends the body."""
        self._pieces.put_nowait(piece)

    async def finish(self) -> int:
        """Send the rest, and return the status of the response."""
        self.give(BODY)
        self.give(b"")
        return await self.task

    async def _post(self) -> int:
        response = await self.client.post(
            "/tasks", content=self._content(), headers=JSON, extensions={"address": self.address}
        )
        if response.status_code >= 400:
            self.code = response.json()["code"]
        return response.status_code

    async def _content(self) -> AsyncIterator[bytes]:
        while piece := await self._pieces.get():
            yield piece
