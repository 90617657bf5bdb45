"""The HTTP application, put together."""

import re
from collections.abc import Sequence
from typing import Any

import orjson
from attrs import Factory, frozen
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.feed.feed import Feed
from adapters.http.feed.polling import Changes
from adapters.http.feed.websocket import ChangesSocket
from adapters.http.handlers.error_handler import response_for
from adapters.http.handlers.readiness import Readiness
from adapters.http.middleware.access_log import AccessLog
from adapters.http.middleware.compression import Compression
from adapters.http.middleware.cross_origin import CrossOrigin, Grants
from adapters.http.middleware.origin_check import OriginCheck
from adapters.http.middleware.request_context import RequestContext
from adapters.http.openapi.declarations import Operation, Path, Reply
from adapters.http.openapi.document import document
from adapters.http.requests.cursors import ListCursors
from adapters.http.requests.request import Request, request_of
from adapters.http.responses.caching import PUBLIC
from adapters.http.responses.http_errors import Missing
from adapters.http.responses.responses import Response, json_bytes
from adapters.http.responses.send_error import send_error
from adapters.http.routes import changes, resources, service, static_files, webhooks
from adapters.http.routes.endpoint import Endpoint
from adapters.http.routes.static_files import StaticFiles
from domain.deliveries import WebhookDispatcher
from domain.ports import Store
from domain.public_types import PUBLIC_TYPES


@frozen(kw_only=True)
class Options:
    """What can be chosen about the HTTP side. Sizes are in bytes; an empty `hosts` takes any."""

    max_body: int = 1_048_576
    require_if_match: bool = False
    origins: Sequence[str] = Factory(tuple)
    hosts: Sequence[str] = Factory(tuple)


def make_app(
    store: Store, secret: bytes, options: Options, access_log: AccessLog, feed: Feed, *, dispatcher: WebhookDispatcher
) -> ASGIApp:
    """Return the application that serves a store."""
    paths = [*declared(store, secret, options, feed, dispatcher), static_files.path(StaticFiles())]
    routes = _routes(paths)
    routes.append(WebSocketRoute("/ws", ChangesSocket(store, feed)))
    # Redirecting from a path with a slash too many would make a URL of the Host header; it is another path.
    app: ASGIApp = Router(list(map(_exact, routes)), default=_nothing, redirect_slashes=False)
    app = OriginCheck(app, hosts=options.hosts, origins=options.origins)
    grants = Grants(options.origins)
    if options.origins:
        app = CrossOrigin(app, grants)
    return RequestContext(
        app,
        compressed=Compression(app),
        access_log=access_log,
        by_origin=grants.depend_on_origin,
        turns=feed.turns,
    )


def declared(store: Store, secret: bytes, options: Options, feed: Feed, dispatcher: WebhookDispatcher) -> list[Path]:
    """Return every path with its operations, the one that documents them all included."""
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
        *changes.paths(Changes(store, feed)),
        *service.paths(service.Service(readiness=Readiness(store))),
    ]

    async def openapi(request: Request) -> Response:
        del request
        return json_bytes(written)

    reply = Reply(description="This document.", schema={"type": "object"})
    operation = Operation(
        name="openapi", summary="The OpenAPI document", handler=openapi, replies={200: reply}, caching=PUBLIC
    )
    paths.append(Path(template="/openapi.json", operations={"GET": operation}))
    written = orjson.dumps(document(paths))
    return paths


class _IdConvertor(Convertor[str]):
    """Whatever may be meant as an id; what it is worth is the operation's business, which answers 422 or 404."""

    regex = r"(?!bulk\Z)[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def _routes(paths: list[Path]) -> list[BaseRoute]:
    register_url_convertor("entity", _IdConvertor())
    # Starlette tries one after the other: the most used come first.
    ordered = sorted(paths, key=lambda path: (not path.template.endswith("{id}"), path.template.count("/")))
    routes: list[BaseRoute] = [Route(path.template.replace("{id}", "{id:entity}"), Endpoint(path)) for path in ordered]
    return routes


def _exact(route: Any) -> Any:
    """Let a route match whole paths only; "$", with which Starlette ends its patterns, passes over a line break."""
    route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z")
    return route


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for a path that there is not."""
    await send_error(response_for(Missing("there is nothing at this path"), request_of(scope)), scope, receive, send)
