"""The greeting at the root, and the paths that tell how the service is."""

import pytest

from domain.errors import Unavailable
from domain.ports import Store
from tests.http.service import Client, serving

pytestmark = pytest.mark.anyio

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept", [None, "", "*/*", "application/json", "application/*", "text/html;q=0.5, application/json"]
)
async def test_greets_a_program(client: Client, accept: str | None) -> None:
    """A client that does not prefer a page is greeted with the message and the version of the API."""
    response = await client.get("/", headers={} if accept is None else {"Accept": accept})

    assert 200 == response.status_code
    assert b'{"message":"Hello from Starlette!","version":"1.0"}' == response.content
    assert "Accept, Accept-Encoding" == response.headers["vary"]


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/html, application/json;q=0.9"])
async def test_sends_a_browser_to_the_page(client: Client, accept: str) -> None:
    """A client that prefers a page is redirected to it, without a word about hosts."""
    response = await client.get("/", headers={"Accept": accept})

    assert 307 == response.status_code
    assert "/app/" == response.headers["location"]
    assert "Accept, Accept-Encoding" == response.headers["vary"]


@pytest.mark.parametrize(("path", "target"), [("/app", "/app/"), ("/docs/", "/docs")])
async def test_slash_of_a_page(client: Client, path: str, target: str) -> None:
    """Whoever types a page with a slash too few or too many is sent there, without a word about hosts."""
    for method in ("GET", "HEAD"):
        response = await client.request(method, path)
        assert (308, b"", target) == (response.status_code, response.content, response.headers["location"])
    assert 200 == (await client.get(target)).status_code


async def test_accepts_neither(client: Client) -> None:
    """A client that takes neither a page nor JSON is refused."""
    response = await client.get("/", headers={"Accept": "image/png"})

    assert (406, "not_acceptable") == (response.status_code, response.json()["code"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_is_well(client: Client, path: str) -> None:
    """A service whose store answers is alive and ready."""
    response = await client.get(path)

    assert (200, {"status": "ok"}) == (response.status_code, response.json())


async def test_is_alive_but_not_ready_without_its_store(store: Store) -> None:
    """A service whose store cannot be reached is alive, and not ready."""
    async with serving(store) as client:
        await store.close()

        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert 200 == alive.status_code
    assert (503, Unavailable.code) == (ready.status_code, ready.json()["code"])
    assert "1" == ready.headers["retry-after"]
