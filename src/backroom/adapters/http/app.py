"""The HTTP application: routes, middleware and error handling in one declarative call."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from attrs import Factory, frozen
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from backroom.adapters.http import resources, service
from backroom.adapters.http.access_log import AccessLog
from backroom.adapters.http.answers import Answer, json_bytes
from backroom.adapters.http.call import Call, call_of
from backroom.adapters.http.cursors import ListCursors
from backroom.adapters.http.declarations import Operation, Path, Reply
from backroom.adapters.http.edge import Edge
from backroom.adapters.http.endpoint import Endpoint
from backroom.adapters.http.guard import Guard
from backroom.adapters.http.openapi import document
from backroom.adapters.http.problems import PROBLEMS, answer_of, problem, problem_answer
from backroom.adapters.http.refusals import Missing, Refusal
from backroom.domain.catalogue import KINDS
from backroom.domain.errors import DomainError
from backroom.domain.ports import Store

EXPOSED = ("ETag", "Link", "Location", "Retry-After", "X-Request-ID", "X-Process-Time", "Idempotency-Replayed")


@frozen(kw_only=True)
class Options:
    """What can be chosen about the HTTP side. Sizes are in bytes; an empty `hosts` takes any."""

    max_body: int = 1_048_576
    require_if_match: bool = False
    origins: Sequence[str] = Factory(tuple)
    hosts: Sequence[str] = Factory(tuple)


def make_app(
    store: Store,
    secret: bytes,
    options: Options,
    access_log: AccessLog,
) -> ASGIApp:
    """Return the application that serves a store."""
    paths = declared(store, secret, options)
    cors = Middleware(
        CORSMiddleware,
        allow_origins=options.origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=EXPOSED,
        max_age=600,
    )
    app = Starlette(
        routes=_routes(paths),
        middleware=[
            Middleware(Guard, hosts=options.hosts, origins=options.origins),
            *([cors] if options.origins else []),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
        ],
        exception_handlers=_HANDLERS,
    )
    return Edge(app, access_log)


def declared(store: Store, secret: bytes, options: Options) -> list[Path]:
    """Return every path with its operations, the one that documents them all included."""
    parts = resources.Parts(
        store=store,
        cursors=ListCursors(secret),
        max_body=options.max_body,
        require_if_match=options.require_if_match,
    )
    paths = [path for kind in KINDS for path in resources.paths(kind, parts)]
    paths += service.paths(service.Service(store=store))

    async def openapi(call: Call) -> Answer:
        del call
        return json_bytes(written)

    reply = Reply(description="This document.", schema={"type": "object"})
    operation = Operation(name="openapi", summary="The OpenAPI document", handler=openapi, replies={200: reply})
    paths.append(Path(template="/openapi.json", operations={"GET": operation}))
    written = orjson.dumps(document(paths))
    return paths


def _routes(paths: list[Path]) -> list[BaseRoute]:
    # A fixed path goes before one with a parameter that would match it too; the most used are found first.
    ordered = sorted(paths, key=lambda path: ("{id}" in path.template, path.template.count("/")))
    routes: list[BaseRoute] = [Route(path.template, Endpoint(path)) for path in ordered]
    static = Mount("/static", StaticFiles(directory=str(service.STATIC)))
    return [*routes, static]


async def _refused(request: Request, error: Exception) -> Answer:
    assert isinstance(error, (DomainError, Refusal))
    return answer_of(error, call_of(request.scope).request_id)


async def _not_served(request: Request, error: Exception) -> Answer:
    """Translate what Starlette itself refuses: an unknown path, or a file that is not there."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return problem_answer(problem("method_not_allowed", "only GET and HEAD", call_of(request.scope).request_id))
    return await _refused(request, Missing("there is nothing at this path"))


async def _gone(request: Request, error: Exception) -> Answer:
    """Answer nobody: the client has hung up."""
    del request, error
    return Answer(status=499)


async def _failed(request: Request, error: Exception) -> Answer:
    del error
    detail = PROBLEMS["internal_error"].explanation
    return problem_answer(problem("internal_error", detail, call_of(request.scope).request_id))


_HANDLERS: Mapping[Any, Any] = {  # an Answer is an ASGI application, which is all that Starlette asks of a response
    DomainError: _refused,
    Refusal: _refused,
    HTTPException: _not_served,
    ClientDisconnect: _gone,
    Exception: _failed,
}
