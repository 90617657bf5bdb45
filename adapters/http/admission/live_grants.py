"""A follower stays connected for long, and is ended once its credential is no longer valid."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field

from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import Unauthorized
from domain.access.ports import AccessKeys
from domain.errors import DomainError

LOOK_EVERY_S = 5.0
AT_ONCE = 100


@define(eq=False)
class LiveGrants:
    """Checks again and again whether the credential of each follower is still valid."""

    keys: AccessKeys

    _staying: dict[asyncio.Timeout, bytes | None] = field(factory=dict, init=False)
    _looking: asyncio.Task[None] | None = field(default=None, init=False)

    @asynccontextmanager
    async def while_granted(self, request: Request) -> AsyncIterator[None]:
        """Run the block while the request's credential is valid. Raises `Unauthorized` once it is not."""
        timeout = asyncio.timeout(None)
        self._staying[timeout] = request.credential
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            async with timeout:
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            raise Unauthorized("the key is not valid any more") from None
        finally:
            self._staying.pop(timeout, None)
            if not self._staying and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            credentials = list(set(self._staying.values()))
            for start in range(0, len(credentials), AT_ONCE):
                await self._look_at(credentials[start : start + AT_ONCE])
                await asyncio.sleep(0)

    async def _look_at(self, credentials: list[bytes | None]) -> None:
        try:
            grants = await asyncio.gather(*map(self.keys.look_up, credentials))
        except DomainError:  # the store is unavailable, which must not end a follower
            return
        gone = {each for each, grant in zip(credentials, grants, strict=True) if grant is None}
        for timeout in [each for each, credential in self._staying.items() if credential in gone]:
            del self._staying[timeout]  # a second timeout would be an error
            timeout.reschedule(asyncio.get_running_loop().time())
