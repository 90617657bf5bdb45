"""The HTTP application, composed of its parts."""

import asyncio
from collections.abc import Sequence
from functools import cache

import orjson
from attrs import Factory, frozen
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.admission.gate import Gate
from adapters.http.fairness.capacity import Capacity
from adapters.http.feed.feed import Feed
from adapters.http.feed.polling import Changes
from adapters.http.feed.websocket import ChangesSocket
from adapters.http.handlers.access import AccessHandlers
from adapters.http.handlers.calendars import CalendarHandlers
from adapters.http.handlers.error_handler import response_for
from adapters.http.handlers.metrics import Metrics
from adapters.http.handlers.readiness import Readiness
from adapters.http.middleware.access_log import AccessLog
from adapters.http.middleware.compression import Compression
from adapters.http.middleware.cross_origin import CrossOrigin, Grants
from adapters.http.middleware.forwarded import Forwarded
from adapters.http.middleware.load_limit import check_load
from adapters.http.middleware.origin_check import OriginCheck
from adapters.http.middleware.request_context import RequestContext
from adapters.http.openapi.declarations import Operation, Path, Reply
from adapters.http.openapi.document import document
from adapters.http.openapi.schemas import ref
from adapters.http.requests.cursors import ListCursors
from adapters.http.requests.request import Request, request_of
from adapters.http.responses.caching import PUBLIC
from adapters.http.responses.http_errors import Missing
from adapters.http.responses.responses import Response, json_bytes, json_response
from adapters.http.responses.send_error import send_error
from adapters.http.routes import access, calendars, changes, resources, service, static_files, todos, webhooks
from adapters.http.routes.endpoint import Endpoint
from adapters.http.routes.metrics import MetricsOnly
from adapters.http.routes.metrics import path as metrics_path
from adapters.http.routes.router import Router
from adapters.http.routes.static_files import StaticFiles
from domain.access.scopes import AccessScope
from domain.calendar import namespace_of
from domain.deliveries import WebhookDispatcher
from domain.ports import Store
from domain.public_types import PUBLIC_TYPES


@frozen(kw_only=True)
class Options:
    """The options of the HTTP adapter. Sizes are in bytes. An empty `hosts` accepts any host."""

    max_body: int = 1_048_576
    require_if_match: bool = False
    origins: Sequence[str] = Factory(tuple)
    hosts: Sequence[str] = Factory(tuple)
    proxies: Sequence[str] = Factory(tuple)
    todo_backend: bool = False
    is_public: bool = False
    """Whether other machines can reach the service."""


def make_app(
    store: Store,
    secret: bytes,
    options: Options,
    access_log: AccessLog,
    feed: Feed,
    *,
    dispatcher: WebhookDispatcher,
    gate: Gate,
    capacity: Capacity,
    metrics: Metrics,
) -> ASGIApp:
    """Return the application that serves a store."""
    paths = [
        *declared(store, secret, options, feed, dispatcher=dispatcher, gate=gate, metrics=metrics),
        static_files.path(StaticFiles()),
    ]
    app: ASGIApp = Router(
        checks=(check_load, OriginCheck(hosts=options.hosts, origins=options.origins)),
        endpoints={path.template: Endpoint(path, gate) for path in paths},
        sockets={"/ws": ChangesSocket(store, feed, gate)},
        nothing=_Nothing(gate),
    )
    grants = Grants(options.origins)
    if options.origins:
        app = CrossOrigin(app, grants)
    app = RequestContext(
        app,
        compressed=Compression(app),
        access_log=access_log,
        by_origin=grants.depend_on_origin,
        capacity=capacity,
    )
    return Forwarded(app, trusted=options.proxies) if options.proxies else app


def make_metrics_app(metrics: Metrics, access_log: AccessLog, capacity: Capacity) -> ASGIApp:
    """Return the application that serves the metrics to everyone, and nothing else."""
    app = MetricsOnly(metrics)
    return RequestContext(app, compressed=Compression(app), access_log=access_log, by_origin=False, capacity=capacity)


def declared(
    store: Store,
    secret: bytes,
    options: Options,
    feed: Feed,
    *,
    dispatcher: WebhookDispatcher,
    gate: Gate,
    metrics: Metrics,
) -> list[Path]:
    """Return every path with its operations, and the path of the OpenAPI document that describes them."""
    parts = resources.Parts(
        store=store,
        dispatcher=dispatcher,
        cursors=ListCursors(secret),
        max_body=options.max_body,
        require_if_match=options.require_if_match,
    )
    paths = [path for entity_type in PUBLIC_TYPES for path in resources.paths(entity_type, parts)]
    paths += [
        *webhooks.paths(parts),
        *calendars.paths(
            CalendarHandlers(
                calendars=store.calendars,
                reader=store,
                gate=gate,
                namespace=namespace_of(secret),
                max_body=options.max_body,
            )
        ),
        *changes.paths(Changes(store, feed, gate.live)),
        *access.paths(AccessHandlers(gate=gate, max_body=options.max_body, is_public=options.is_public)),
        *(todos.paths(parts) if options.todo_backend else ()),
        *service.paths(service.Service(readiness=Readiness(store))),
        metrics_path(metrics),
    ]

    described = cache(lambda: document(paths))
    written = cache(lambda: orjson.dumps(described()))

    async def openapi(request: Request) -> Response:
        # In a thread, so that others do not wait while the first request makes it.
        if request.root:
            return json_response({**await asyncio.to_thread(described), "servers": [{"url": request.root}]})
        return json_bytes(await asyncio.to_thread(written))

    name = "OpenApi"
    reply = Reply(description="This document.", schema=ref(name))
    operation = Operation(
        name="openapi",
        summary="The OpenAPI document",
        scope=None,
        handler=openapi,
        replies={200: reply},
        caching=PUBLIC,
    )
    paths.append(Path(template="/openapi.json", operations={"GET": operation}, schemas={name: {"type": "object"}}))
    return paths


@frozen
class _Nothing:
    """Responds for a path that does not exist."""

    gate: Gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, error = request_of(scope), Missing("there is nothing at this path")
        try:
            await self.gate.admit(request, None if request.method == "OPTIONS" else AccessScope.READ)
        except Exception as refused:  # noqa: BLE001 - as for every other path
            error = refused  # type: ignore[assignment]
        await send_error(response_for(error, request), scope, receive, send)
