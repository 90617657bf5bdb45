"""The service in process, composed as in production. Its client checks each response against HTTP and OpenAPI."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import orjson
from attrs import define, field
from starlette.types import ASGIApp

from adapters.http.admission.gate import Gate
from adapters.http.app import Options, make_app
from adapters.http.fairness.capacity import Capacity
from adapters.http.feed.feed import Feed
from adapters.http.middleware.access_log import AccessLog
from adapters.shared_memory.rate_limits import SharedRateLimiter
from domain.access.rate_limit import Quota, RateLimiter
from domain.deliveries import WebhookDispatcher
from domain.ports import Store
from tests import secrecy
from tests.builders import Clock
from tests.http import conformant
from tests.http.documented import Documented
from tests.http.measured import metrics_of
from tests.http.transport import HOST, ORIGIN, InProcess
from tests.webhooks.endpoints import Endpoints, make_dispatcher

_documents: dict[bytes, Documented] = {}


@define(eq=False)
class Service:
    """A running service and its log lines."""

    app: ASGIApp
    feed: Feed
    access_log: AccessLog
    gate: Gate
    capacity: Capacity
    log: list[str] = field(factory=list)


class Client(httpx2.AsyncClient):
    """Sends only the headers that a test names, and fails if a response is not as documented."""

    def __init__(self, service: Service, documented: Documented | None) -> None:
        super().__init__(transport=InProcess(service.app), base_url=ORIGIN)
        for name in ("accept", "accept-encoding", "connection", "user-agent"):
            del self.headers[name]
        self.service = service
        self._documented = documented

    async def send(self, request: httpx2.Request, *, stream: bool = False, **more: Any) -> httpx2.Response:
        response = await super().send(request, stream=stream, **more)
        conformant.check(response, whole=not stream)
        if self._documented is not None:
            self._documented.check(response, whole=not stream)
        return response

    async def raw(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        """Send a request whose target stays as it is, byte for byte."""
        return await self.request(method, "/", headers=headers, extensions={"target": target.encode()}, **more)


@asynccontextmanager
async def serving(
    store: Store,
    *,
    dispatcher: WebhookDispatcher | None = None,
    limiter: RateLimiter | None = None,
    quota: Quota | None = None,
    **options: Any,
) -> AsyncIterator[Client]:
    """Serve a store with these options, and yield a client of it."""
    log: list[str] = []
    access_log = AccessLog(log.append)
    capacity = Capacity()
    feed = Feed(store, capacity.turns)
    secret = await store.secret()
    gate = Gate(store.access_keys, limiter or SharedRateLimiter(buckets=64), quota)
    app = make_app(
        store,
        secret,
        Options(**options),
        access_log,
        feed,
        dispatcher=dispatcher or make_dispatcher(store, Endpoints(Clock())),
        gate=gate,
        capacity=capacity,
        metrics=metrics_of(store),
    )
    service = Service(app, feed, access_log, gate, capacity, log)
    async with Client(service, None) as client:
        host = (*options.get("hosts", ()), HOST)[0]
        written = (await client.get("/openapi.json", headers={"Host": host})).content
        if written not in _documents:
            _documents[written] = Documented(orjson.loads(written))
    async with Client(service, _documents[written]) as client:
        yield client
    await feed.close()
    access_log.flush()
    secrecy.note("the access log", "".join(log))
