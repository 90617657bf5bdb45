"""The greeting at the root, and the health paths."""

import asyncio

import pytest

from adapters.http.handlers import readiness as module
from adapters.http.handlers.readiness import Readiness
from adapters.http.routes.service import VIEWS
from domain.errors import StorageFull, Unavailable
from domain.ports import Store
from tests.http.service import Client, serving
from tests.http.steps import asked

pytestmark = pytest.mark.anyio

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept", [None, "", "*/*", "application/json", "application/*", "text/html;q=0.5, application/json"]
)
async def test_greets_a_program(client: Client, accept: str | None) -> None:
    """A client that does not prefer a page gets a greeting and the version of the API."""
    response = await client.get("/", headers={} if accept is None else {"Accept": accept})

    assert 200 == response.status_code
    assert b'{"message":"Hello from Starlette!","version":"1.0"}' == response.content
    assert "Accept, Accept-Encoding" == response.headers["vary"]


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/html, application/json;q=0.9"])
async def test_sends_a_browser_to_the_page(client: Client, accept: str) -> None:
    """A client that prefers a page is redirected to it, by a URL without a host."""
    response = await client.get("/", headers={"Accept": accept})

    assert 307 == response.status_code
    assert "/app/" == response.headers["location"]
    assert "Accept, Accept-Encoding" == response.headers["vary"]


@pytest.mark.parametrize(("path", "target"), [("/app", "/app/"), ("/docs/", "/docs")])
async def test_slash_of_a_page(client: Client, path: str, target: str) -> None:
    """A page with a missing or extra slash redirects to the right URL, without a host."""
    for method in ("GET", "HEAD"):
        response = await client.request(method, path)
        assert (308, b"", target) == (response.status_code, response.content, response.headers["location"])
    assert 200 == (await client.get(target)).status_code


async def test_views(client: Client) -> None:
    """Each view of the page has an address, which takes any query. There are no others."""
    for view in VIEWS:
        response = await client.get(f"/app/{view}?status[in]=pending,done&anything=")
        assert (await client.get("/app/")).content == response.content
    assert (404, "not_found") == asked(await client.get("/app/nope"))


async def test_accepts_neither(client: Client) -> None:
    """A client that accepts neither a page nor JSON gets an error."""
    response = await client.get("/", headers={"Accept": "image/png"})

    assert (406, "not_acceptable") == (response.status_code, response.json()["code"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_is_well(client: Client, path: str) -> None:
    """A service whose store works is alive and ready."""
    response = await client.get(path)

    assert (200, {"status": "ok"}) == (response.status_code, response.json())


async def test_is_not_ready_when_nothing_can_be_stored(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The response names the reason why writes fail, with a status for an error of the service."""

    async def ping(_: Store) -> None:
        raise StorageFull

    monkeypatch.setattr(type(store), "ping", ping)
    async with serving(store) as client:
        response = await client.get("/readyz")

    assert (503, Unavailable.code) == (response.status_code, response.json()["code"])
    assert "there is no space left to store this" == response.json()["detail"]


async def test_those_who_ask_share_a_probe(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that ask at once or soon after share one probe of the store. A client that leaves affects no other."""
    probed, let_go = [], asyncio.Event()

    async def ping(_: Store) -> None:
        probed.append(1)
        await let_go.wait()

    monkeypatch.setattr(type(store), "ping", ping)
    monkeypatch.setattr(module, "PROBE_EVERY_S", 3600)
    readiness = Readiness(store)
    gone, *others = [asyncio.create_task(readiness.check()) for _ in range(5)]
    await asyncio.sleep(0)
    gone.cancel()
    let_go.set()
    await asyncio.gather(*others)
    await readiness.check()
    assert [1] == probed
    monkeypatch.setattr(module, "PROBE_EVERY_S", 0)
    await readiness.check()
    assert [1, 1] == probed


async def test_is_alive_but_not_ready_without_its_store(store: Store) -> None:
    """A service that cannot reach its store is alive, but not ready."""
    async with serving(store) as client:
        await store.close()

        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert 200 == alive.status_code
    assert (503, Unavailable.code) == (ready.status_code, ready.json()["code"])
    assert "1" == ready.headers["retry-after"]
