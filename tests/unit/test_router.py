"""Which endpoint a path leads to, and with which parameters."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import BadHost
from adapters.http.routes.router import Router

pytestmark = pytest.mark.anyio

TEMPLATES = (
    "/",
    "/tasks",
    "/tasks/{id}",
    "/tasks/bulk",
    "/tasks/{id}/tries/{try_id}",
    "/a.json",
    "/a/{x}.b",
    "/s/{x:path}",
)


async def led(path: str, kind: str = "http", refusal: Exception | None = None) -> list[Any]:
    """Return the endpoint that serves a path and its parameters, or what was sent instead."""
    told: list[Any] = []

    def endpoint(name: str) -> Any:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            told.extend((name, scope["backroom.call"].parameters))

        return serve

    def check(_: Request) -> None:
        if refusal is not None:
            raise refusal

    async def unused() -> Any:
        pytest.fail("nobody reads")

    async def send(message: Any) -> None:
        told.append(message.get("status"))

    router = Router(
        checks=(check,),
        endpoints={each: endpoint(each) for each in TEMPLATES},
        sockets={"/ws": endpoint("socket")},
        nothing=endpoint("nothing"),
    )
    request = Request("GET", path, b"", {}, unused, "1")
    await router({"type": kind, "method": "GET", "backroom.call": request}, unused, send)
    return told


@pytest.mark.parametrize(
    ("path", "template", "parameters"),
    [
        ("/", "/", {}),
        ("/tasks", "/tasks", {}),
        ("/tasks/7", "/tasks/{id}", {"id": "7"}),
        ("/tasks/a\nb", "/tasks/{id}", {"id": "a\nb"}),
        ("/tasks/bulk", "/tasks/bulk", {}),
        ("/tasks/{id}", "/tasks/{id}", {"id": "{id}"}),
        ("/tasks/7/tries/8", "/tasks/{id}/tries/{try_id}", {"id": "7", "try_id": "8"}),
        ("/a/1.b", "/a/{x}.b", {"x": "1"}),
        ("/s/", "/s/{x:path}", {"x": ""}),
        ("/s/b/c", "/s/{x:path}", {"x": "b/c"}),
    ],
)
async def test_a_path_leads_to_its_endpoint(path: str, template: str, parameters: dict[str, str]) -> None:
    """A path is found with its parameters, and one without any counts before a template."""
    assert [template, parameters] == await led(path)


@pytest.mark.parametrize(
    "path",
    ["", "/tasks/", "/tasks\n", "//tasks", "/tasks/7/", "/tasks/7/x", "/aXjson", "/a/1Xb", "/s", "/Tasks", "/ws"],
)
async def test_any_other_path_leads_nowhere(path: str) -> None:
    """Whole paths count, character by character, and a slash more makes another path."""
    assert ["nothing", {}] == await led(path)


async def test_a_handshake_leads_to_a_socket() -> None:
    """Sockets have paths of their own."""
    assert ["socket", {}] == await led("/ws", "websocket")
    assert ["nothing", {}] == await led("/tasks", "websocket")


async def test_a_check_refuses_before_the_path_is_looked_for() -> None:
    """What a check refuses reaches no endpoint."""
    assert [400, None] == await led("/tasks", refusal=BadHost("not here"))
