"""Endpoints without a network, and a dispatcher that sends to them."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from adapters.serialization.deliveries import payload
from adapters.webhooks.addresses import Address
from adapters.webhooks.dispatcher import Dispatcher
from domain.deliveries import Attempt, Delivery, SendResult
from domain.ports import Store
from domain.webhook import WEBHOOK, Webhook
from tests.builders import SERIALIZER, Clock, create
from tests.contract.steps import carry_out, got

KEY = bytes(range(32))

OK = SendResult(status=200, duration_ms=1)
DOWN = SendResult(error="the connection failed: Connection refused", duration_ms=2)
GONE = SendResult(status=410, duration_ms=3)


def url(name: str) -> str:
    """Return the URL of an endpoint."""
    return f"https://example.com/{name}"


@frozen
class Message:
    """A request that arrived at an endpoint."""

    name: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """Return the payload."""
        return json.loads(self.body)

    @property
    def told(self) -> tuple[str, int, int]:
        """Return the type of the change, and the id and version of the entity."""
        change = self.document["data"]
        return change["type"], change["id"], change["version"]


@define(eq=False)
class Endpoints:
    """Gives the configured responses, or 200 by default; vetting accepts every address."""

    clock: Clock
    messages: list[Message] = field(factory=list)
    answers: defaultdict[str, list[SendResult | Exception]] = field(factory=lambda: defaultdict(list))
    closed: dict[str, asyncio.Event] = field(factory=dict)  # a message gets its response once the event is set
    arrived: asyncio.Event = field(factory=asyncio.Event)
    on_arrival: Callable[[], Awaitable[None]] | None = None

    async def vet(self, url: str) -> Sequence[Address]:
        """Accept every address."""
        del url
        return ()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> SendResult:
        """Receive a message."""
        name = url.rpartition("/")[2]
        self.messages.append(Message(name, headers, body))
        self.arrived.set()
        if self.on_arrival is not None:
            await self.on_arrival()
        if name in self.closed:
            await self.closed[name].wait()
        answer = self.answers[name].pop(0) if self.answers[name] else OK
        if isinstance(answer, Exception):
            raise answer
        return answer

    def told(self, name: str = "a") -> list[tuple[str, int, int]]:
        """Return the changes that an endpoint received, with repetitions."""
        return [each.told for each in self.messages if each.name == name]


def make_dispatcher(store: Store, endpoints: Endpoints, *, random: float = 0.0) -> Dispatcher:
    """Return a dispatcher that only acts when a test calls it."""
    return Dispatcher(
        store=store,
        transport=endpoints,
        documents=SERIALIZER,
        payload=payload,
        key=KEY,
        clock=endpoints.clock,
        random=lambda: random,
    )


async def delivered(each: Dispatcher) -> None:
    """Let a dispatcher deliver everything that is due."""
    await each.look()
    await each.idle()


async def subscribed(store: Store, *names: str, **raw: object) -> None:
    """Create a webhook for each endpoint."""
    await carry_out(store, *(create(WEBHOOK, url=url(name), **raw) for name in names))


async def current(store: Store, id: int = 1) -> Webhook:
    """Return the current webhook."""
    webhook: Webhook = await got(store, WEBHOOK, id)
    return webhook


async def log(store: Store, id: int = 1) -> list[Delivery]:
    """Return the deliveries to a webhook, oldest first."""
    return list(reversed(await store.deliveries.history(id)))


def attempted(at: Any, result: SendResult) -> Attempt:
    """Return an attempt in its stored form."""
    return Attempt(at=at, status=result.status, error=result.error, duration_ms=result.duration_ms)
