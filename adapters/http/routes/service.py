"""The service's own paths: its home, its health, its documentation."""

from collections.abc import Mapping
from html import escape
from typing import Any

from attrs import field, frozen

from adapters.http.handlers.readiness import Readiness
from adapters.http.openapi.declarations import Handler, Operation, Parameter, Path, Reply, Schema
from adapters.http.openapi.document import API_VERSION
from adapters.http.openapi.schemas import ref
from adapters.http.requests.negotiation import quality
from adapters.http.requests.request import Request
from adapters.http.responses.caching import NEVER, PUBLIC
from adapters.http.responses.http_errors import Missing
from adapters.http.responses.problems import PROBLEMS
from adapters.http.responses.responses import Response, json_bytes, json_response
from adapters.http.responses.security_headers import OF_PAGES
from adapters.http.routes.static_files import StaticFiles

PAGE = "/app/"
VIEWS = ("tasks", "products", "overview", "csv", "access", "webhooks")
"""The views of the web page. Each has an address of its own, and what it shows is in the query."""
DOCS = "/docs"

_OF_PAGES = ("Content-Security-Policy",)
_HTML = b"text/html; charset=utf-8"
_ANY_QUERY: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_FINE = {"status": "ok"}
_GREETING = {"message": "Hello from Starlette!", "version": API_VERSION}
_TEXT: Schema = {"type": "string"}
_SCHEMAS: dict[str, Schema] = {
    "Greeting": {
        "type": "object",
        "properties": {"message": _TEXT, "version": _TEXT},
        "required": ["message", "version"],
    },
    "Health": {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]},
    "Explanation": {
        "type": "object",
        "properties": {"code": _TEXT, "status": {"type": "integer"}, "title": _TEXT, "explanation": _TEXT},
        "required": ["code", "status", "title", "explanation"],
    },
}


@frozen(kw_only=True, eq=False)
class Service:
    """The operations of the service's own paths."""

    readiness: Readiness
    static: StaticFiles = field(factory=StaticFiles)

    async def home(self, request: Request) -> Response:
        """Respond with a greeting to a program. Send a browser to the web page."""
        if quality(request, "text/html") > quality(request, "application/json"):
            return Response(status=307, headers=((b"location", f"{request.root}{PAGE}".encode()),))
        return json_response(_GREETING)

    async def alive(self, request: Request) -> Response:
        """Tell that the process responds."""
        del request
        return json_response(_FINE)

    async def ready(self, request: Request) -> Response:
        """Tell that the store accepts writes. Raises `Unavailable` otherwise."""
        del request
        await self.readiness.check()
        return json_response(_FINE)

    async def problem(self, request: Request) -> Response:
        """Explain a code."""
        code = request.parameters["code"]
        entity_type = PROBLEMS.get(code)
        if entity_type is None:
            raise Missing("there is no such problem")
        if quality(request, "text/html") > quality(request, "application/json"):
            title, text = escape(f"{entity_type.status} {entity_type.title}"), escape(entity_type.explanation)
            page = f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p><code>{code}</code><p>{text}"
            return json_bytes(page.encode(), OF_PAGES, media_type=_HTML)
        return json_response(_explained(code))

    async def page(self, request: Request) -> Response:
        """Show the web page. A script of the page shows the view that its address names."""
        view = request.parameters.get("view")
        if view is not None and view not in VIEWS:
            raise Missing("the page has no such view")
        return json_bytes(self.static.page("app.html"), OF_PAGES, media_type=_HTML)

    async def docs(self, request: Request) -> Response:
        """Show the documentation, which reads the OpenAPI document and nothing from elsewhere."""
        del request
        return json_bytes(self.static.page("docs.html"), OF_PAGES, media_type=_HTML)

    async def to_page(self, request: Request) -> Response:
        """Redirect a request without the final slash to the web page."""
        return Response(status=308, headers=((b"location", f"{request.root}{PAGE}".encode()),))

    async def to_docs(self, request: Request) -> Response:
        """Redirect a request with a final slash to the documentation."""
        return Response(status=308, headers=((b"location", f"{request.root}{DOCS}".encode()),))


def _explained(code: str) -> dict[str, Any]:
    told = PROBLEMS[code]
    return {"code": code, "status": told.status, "title": told.title, "explanation": told.explanation}


def paths(service: Service) -> list[Path]:
    """Return the service's own paths, without the OpenAPI document, which describes them."""
    code = Parameter(name="code", location="path", schema={"type": "string"}, example="not_found")
    html = Reply(description="The page.", media_type="text/html", schema={"type": "string"}, headers=_OF_PAGES)
    well = Reply(description="It is.", schema=ref("Health"), example=_FINE)
    able = Reply(description="It can.", schema=ref("Health"), example=_FINE)
    greeting = Reply(description="A greeting.", schema=ref("Greeting"), example=_GREETING)
    moved = Reply(description="There it is.", headers=("Location",), media_type="text/html")
    view = Operation(
        name="view",
        summary="Open a view of the web page",
        scope=None,
        handler=service.page,
        replies={200: html},
        parameters=(
            Parameter(name="view", location="path", schema={"enum": list(VIEWS)}, example="tasks"),
            Parameter(name="shown", location="query", schema=_ANY_QUERY, description="What is shown, as for a list."),
        ),
        problems=("not_found",),
        caching=PUBLIC,
    )
    explain = Operation(
        name="explain",
        summary="What a problem means",
        scope=None,
        handler=service.problem,
        replies={
            200: Reply(
                description="Its explanation.",
                schema=ref("Explanation"),
                example=_explained("not_found"),
                also={"text/html": ""},
                headers=_OF_PAGES,
            )
        },
        parameters=(code,),
        problems=("not_found",),
        caching=PUBLIC,
    )
    return [
        _path("/", "home", "Greet", service.home, {200: greeting, 307: moved}),
        _path("/healthz", "alive", "Is the process alive?", service.alive, {200: well}, caching=NEVER),
        _path("/readyz", "ready", "Can it be written to?", service.ready, {200: able}, caching=NEVER),
        _path(DOCS, "docs", "Read the documentation", service.docs, {200: html}),
        _path(f"{DOCS}/", "docsWithSlash", "Find the documentation", service.to_docs, {308: moved}),
        _path(PAGE, "page", "Open the web page", service.page, {200: html}),
        _path(PAGE[:-1], "pageWithoutSlash", "Find the web page", service.to_page, {308: moved}),
        Path(template=f"{PAGE}{{view}}", operations={"GET": view}),
        Path(template="/problems/{code}", operations={"GET": explain}, schemas=_SCHEMAS),
    ]


def _path(
    template: str, name: str, summary: str, handler: Handler, replies: Mapping[int, Reply], *, caching: bytes = PUBLIC
) -> Path:
    operation = Operation(name=name, summary=summary, scope=None, handler=handler, replies=replies, caching=caching)
    return Path(template=template, operations={"GET": operation})
