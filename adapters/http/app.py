"""The HTTP application, put together."""

import re
from collections.abc import Sequence
from typing import Any

import orjson
from attrs import Factory, frozen
from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http import following, resources, service, webhook_paths
from adapters.http.access_log import AccessLog
from adapters.http.answers import Answer, json_bytes
from adapters.http.call import Call, call_of
from adapters.http.changes import Changes
from adapters.http.cursors import ListCursors
from adapters.http.declarations import Operation, Path, Reply
from adapters.http.edge import Edge
from adapters.http.endpoint import Endpoint
from adapters.http.failures import READ_ONLY, answer_for
from adapters.http.feed import Feed
from adapters.http.guard import Guard
from adapters.http.openapi import document
from adapters.http.refusals import Missing
from adapters.http.refusing import refuse
from adapters.http.socket import ChangesSocket
from domain.deliveries import Courier
from domain.ports import Store
from domain.published import PUBLISHED

EXPOSED = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "X-Request-ID",
    "X-Process-Time",
    "Idempotency-Replayed",
    "RateLimit",
    "RateLimit-Policy",
)


@frozen(kw_only=True)
class Options:
    """What can be chosen about the HTTP side. Sizes are in bytes; an empty `hosts` takes any."""

    max_body: int = 1_048_576
    require_if_match: bool = False
    origins: Sequence[str] = Factory(tuple)
    hosts: Sequence[str] = Factory(tuple)


def make_app(
    store: Store, secret: bytes, options: Options, access_log: AccessLog, feed: Feed, *, courier: Courier
) -> ASGIApp:
    """Return the application that serves a store."""
    routes = _routes(declared(store, secret, options, feed, courier))
    routes.append(WebSocketRoute("/ws", ChangesSocket(store, feed)))
    # Redirecting from a path with a slash too many would make a URL of the Host header; it is another path.
    app: ASGIApp = Router(list(map(_exact, routes)), default=_nothing, redirect_slashes=False)
    compressed: ASGIApp = GZipMiddleware(app, minimum_size=1000, compresslevel=5)
    if options.origins:
        app, compressed = _shared(app, options.origins), _shared(compressed, options.origins)
    guard = Guard(hosts=options.hosts, origins=options.origins)
    return Edge(app, compressed=compressed, guard=guard, access_log=access_log)


def _shared(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Let pages of other origins read the answers."""
    return _Sharing(
        app, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], expose_headers=EXPOSED, max_age=600
    )


class _Sharing(CORSMiddleware):
    """Answers a preflight that it does not grant like any other OPTIONS: without a grant, a browser goes no further."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        asks = scope["type"] == "http" and scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if asks and "origin" in headers:
            granted = self.preflight_response(headers)
            await (granted if granted.status_code == 200 else self.app)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def declared(store: Store, secret: bytes, options: Options, feed: Feed, courier: Courier) -> list[Path]:
    """Return every path with its operations, the one that documents them all included."""
    parts = resources.Parts(
        store=store,
        courier=courier,
        cursors=ListCursors(secret),
        max_body=options.max_body,
        require_if_match=options.require_if_match,
    )
    paths = [path for kind in PUBLISHED for path in resources.paths(kind, parts)]
    paths += [
        *webhook_paths.paths(parts),
        *following.paths(Changes(store, feed)),
        *service.paths(service.Service(store=store)),
    ]

    async def openapi(call: Call) -> Answer:
        del call
        return json_bytes(written)

    reply = Reply(description="This document.", schema={"type": "object"})
    operation = Operation(name="openapi", summary="The OpenAPI document", handler=openapi, replies={200: reply})
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
    return [*routes, Mount("/static", _Files())]


def _exact(route: Any) -> Any:
    """Let a route match whole paths only; "$", with which Starlette ends its patterns, passes over a line break."""
    route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z")
    return route


class _Files:
    """The files of the web page."""

    def __init__(self) -> None:
        self._files = StaticFiles(directory=str(service.STATIC))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await _nothing(scope, receive, send)
        try:
            answer = await self._answer(scope)
        except Exception as error:  # noqa: BLE001 - as for every other path
            answer = answer_for(error, call_of(scope))
        return await answer(scope, receive, send)

    async def _answer(self, scope: Scope) -> ASGIApp:
        if scope["method"] == "OPTIONS":
            return Answer(status=204, headers=(READ_ONLY,))
        return await self._files.get_response(self._files.get_path(scope), scope)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for a path that there is not."""
    await refuse(answer_for(Missing("there is nothing at this path"), call_of(scope)), scope, receive, send)
