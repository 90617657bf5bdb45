"""A sender that is made once there is something to send."""

import asyncio
from collections.abc import Mapping, Sequence

from attrs import define, field

from adapters.webhooks.addresses import Address
from adapters.webhooks.dispatcher import VettingTransport
from domain.deliveries import SendResult


@define(eq=False)
class LateSender(VettingTransport):
    """Sends as a `Sender` does.

    To make one means to import a client of HTTP and to read the certificates that the system trusts: a tenth of a
    second, for which no start waits, and which a service without webhooks never spends.
    """

    allow_private: bool

    _sender: VettingTransport | None = field(default=None, init=False)

    async def vet(self, url: str) -> Sequence[Address]:
        return await (await self._made()).vet(url)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> SendResult:
        return await (await self._made()).send(url, headers, body)

    async def _made(self) -> VettingTransport:
        """Return the sender, made in a thread so that others do not wait. Two that are made at once do no harm."""
        if self._sender is None:
            self._sender = await asyncio.to_thread(_make, self.allow_private)
        return self._sender


def _make(allow_private: bool) -> VettingTransport:
    from adapters.webhooks.transport import Sender  # noqa: PLC0415 - as the class says

    return Sender(allow_private=allow_private)
