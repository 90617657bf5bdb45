"""The paths that are about the service itself: its home, its health, its documentation."""

from html import escape
from importlib.resources import files

from attrs import field, frozen

from adapters.http.handlers.readiness import Readiness
from adapters.http.openapi.declarations import Operation, Parameter, Path, Reply, Schema
from adapters.http.openapi.document import API_VERSION
from adapters.http.requests.negotiation import quality
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import Missing
from adapters.http.responses.problems import PROBLEMS
from adapters.http.responses.responses import Response, json_bytes, json_response
from adapters.http.responses.security_headers import OF_PAGES

PAGE = "/app/"
STATIC = files("adapters.http") / "static"

_OF_PAGES = ("Content-Security-Policy",)
_HTML = b"text/html; charset=utf-8"
_OK: Schema = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
_HOME: Schema = {
    "type": "object",
    "properties": {"message": {"type": "string"}, "version": {"type": "string"}},
    "required": ["message", "version"],
}


@frozen(kw_only=True, eq=False)
class Service:
    """The operations of the service's own paths."""

    readiness: Readiness
    openapi: bytes = field(default=b"", repr=False)

    async def home(self, request: Request) -> Response:
        """Greet a program; send a browser to the page."""
        vary = (b"vary", b"Accept")
        if quality(request, "text/html") > quality(request, "application/json"):
            return Response(status=307, headers=((b"location", PAGE.encode()), vary))
        return json_response({"message": "Hello from Starlette!", "version": API_VERSION}, vary)

    async def alive(self, request: Request) -> Response:
        """Say that the process answers."""
        del request
        return json_response({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """Say that the store can be written to; it raises `Unavailable` otherwise."""
        del request
        await self.readiness.check()
        return json_response({"status": "ok"})

    async def problem(self, request: Request) -> Response:
        """Explain a code."""
        code = request.parameters["code"]
        entity_type = PROBLEMS.get(code)
        if entity_type is None:
            raise Missing("there is no such problem")
        vary = (b"vary", b"Accept")
        if quality(request, "text/html") > quality(request, "application/json"):
            title, text = escape(f"{entity_type.status} {entity_type.title}"), escape(entity_type.explanation)
            page = f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p><code>{code}</code><p>{text}"
            return json_bytes(page.encode(), vary, OF_PAGES, media_type=_HTML)
        explained = {
            "code": code,
            "status": entity_type.status,
            "title": entity_type.title,
            "explanation": entity_type.explanation,
        }
        return json_response(explained, vary)

    async def page(self, request: Request) -> Response:
        """Show the web page."""
        del request
        return json_bytes((STATIC / "app.html").read_bytes(), OF_PAGES, media_type=_HTML)

    async def docs(self, request: Request) -> Response:
        """Show the documentation, which reads the OpenAPI document and nothing from elsewhere."""
        del request
        return json_bytes((STATIC / "docs.html").read_bytes(), OF_PAGES, media_type=_HTML)


def paths(service: Service) -> list[Path]:
    """Return the service's own paths, but for the OpenAPI document, which describes them."""
    explained: Schema = {
        "type": "object",
        "properties": {name: {} for name in ("code", "status", "title", "explanation")},
    }
    code = Parameter(name="code", place="path", schema={"type": "string"})
    html = Reply(description="The page.", media_type="text/html", schema={"type": "string"}, headers=_OF_PAGES)
    return [
        _path("/", "home", "Greet", service.home, Reply(description="A greeting.", schema=_HOME), redirects=True),
        _path("/healthz", "alive", "Is the process alive?", service.alive, Reply(description="It is.", schema=_OK)),
        _path("/readyz", "ready", "Can it be written to?", service.ready, Reply(description="It can.", schema=_OK)),
        _path("/docs", "docs", "Read the documentation", service.docs, html),
        _path(PAGE, "page", "Open the web page", service.page, html),
        Path(
            template="/problems/{code}",
            operations={
                "GET": Operation(
                    name="explain",
                    summary="What a problem means",
                    scope=None,
                    handler=service.problem,
                    replies={
                        200: Reply(
                            description="Its explanation.", schema=explained, also="text/html", headers=_OF_PAGES
                        ),
                    },
                    parameters=(code,),
                    problems=("not_found",),
                )
            },
        ),
    ]


def _path(template: str, name: str, summary: str, handler: object, reply: Reply, *, redirects: bool = False) -> Path:
    replies = {200: reply}
    if redirects:
        replies[307] = Reply(description="For browsers.", headers=("Location",), media_type="text/html")
    operation = Operation(name=name, summary=summary, scope=None, handler=handler, replies=replies)  # type: ignore[arg-type]
    return Path(template=template, operations={"GET": operation})
