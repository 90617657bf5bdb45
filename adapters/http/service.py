"""The paths that are about the service itself: its home, its health, its documentation."""

from html import escape
from importlib.resources import files

from attrs import field, frozen

from adapters.http.answers import Answer, json_answer, json_bytes
from adapters.http.call import Call
from adapters.http.declarations import Operation, Parameter, Path, Reply, Schema
from adapters.http.negotiation import quality
from adapters.http.openapi import API_VERSION
from adapters.http.problems import PROBLEMS
from adapters.http.refusals import Missing
from domain.ports import Store

PAGE = "/app/"
STATIC = files(__package__) / "static"

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

    store: Store
    openapi: bytes = field(default=b"", repr=False)

    async def home(self, call: Call) -> Answer:
        """Greet a program; send a browser to the page."""
        vary = (b"vary", b"Accept")
        if quality(call, "text/html") > quality(call, "application/json"):
            return Answer(status=307, headers=((b"location", PAGE.encode()), vary))
        return json_answer({"message": "Hello from Starlette!", "version": API_VERSION}, vary)

    async def alive(self, call: Call) -> Answer:
        """Say that the process answers."""
        del call
        return json_answer({"status": "ok"})

    async def ready(self, call: Call) -> Answer:
        """Say that the store answers; it raises `Unavailable` otherwise."""
        del call
        await self.store.ping()
        return json_answer({"status": "ok"})

    async def problem(self, call: Call) -> Answer:
        """Explain a code."""
        code = call.parameters["code"]
        kind = PROBLEMS.get(code)
        if kind is None:
            raise Missing("there is no such problem")
        vary = (b"vary", b"Accept")
        if quality(call, "text/html") > quality(call, "application/json"):
            title, text = escape(f"{kind.status} {kind.title}"), escape(kind.explanation)
            page = f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p><code>{code}</code><p>{text}"
            return json_bytes(page.encode(), vary, media_type=_HTML)
        explained = {"code": code, "status": kind.status, "title": kind.title, "explanation": kind.explanation}
        return json_answer(explained, vary)

    async def page(self, call: Call) -> Answer:
        """Show the web page."""
        del call
        return json_bytes((STATIC / "app.html").read_bytes(), media_type=_HTML)

    async def docs(self, call: Call) -> Answer:
        """Show the documentation, which reads the OpenAPI document and nothing from elsewhere."""
        del call
        return json_bytes((STATIC / "docs.html").read_bytes(), media_type=_HTML)


def paths(service: Service) -> list[Path]:
    """Return the service's own paths, but for the OpenAPI document, which describes them."""
    explained: Schema = {
        "type": "object",
        "properties": {name: {} for name in ("code", "status", "title", "explanation")},
    }
    code = Parameter(name="code", place="path", schema={"type": "string"})
    html = Reply(description="The page.", media_type="text/html", schema={"type": "string"})
    return [
        _path("/", "home", "Greet", service.home, Reply(description="A greeting.", schema=_HOME), redirects=True),
        _path("/healthz", "alive", "Is the process alive?", service.alive, Reply(description="It is.", schema=_OK)),
        _path("/readyz", "ready", "Is the store reachable?", service.ready, Reply(description="It is.", schema=_OK)),
        _path("/docs", "docs", "Read the documentation", service.docs, html),
        _path(PAGE, "page", "Open the web page", service.page, html),
        Path(
            template="/problems/{code}",
            operations={
                "GET": Operation(
                    name="explain",
                    summary="What a problem means",
                    handler=service.problem,
                    replies={
                        200: Reply(description="Its explanation.", schema=explained, also="text/html"),
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
    operation = Operation(name=name, summary=summary, handler=handler, replies=replies)  # type: ignore[arg-type]
    return Path(template=template, operations={"GET": operation})
