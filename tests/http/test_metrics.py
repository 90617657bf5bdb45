"""The metrics over HTTP: formats, who may read them, and what a reader can cost."""

import asyncio
from typing import Any

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from adapters.http.app import make_metrics_app
from adapters.http.fairness.capacity import Capacity
from adapters.http.middleware.access_log import AccessLog
from adapters.metrics import exposition
from domain.errors import Unavailable
from domain.measurements import Measurements
from domain.ports import Store
from tests.http.access import bearer, new_key
from tests.http.measured import metrics_of
from tests.http.service import Client
from tests.http.steps import MINIMAL, made
from tests.http.transport import ORIGIN, InProcess, connected

pytestmark = pytest.mark.anyio

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;"
    "q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, TEXT),
        ("*/*", TEXT),
        ("text/*", TEXT),
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),
        (PROMETHEUS, OPENMETRICS),
        ("application/openmetrics-text;version=9.x;escaping=no", OPENMETRICS),
        ("application/openmetrics-text;q=0.1,text/plain", TEXT),
    ],
)
async def test_formats(client: Client, accept: str | None, expected: str) -> None:
    """A client gets the format that it prefers, and its own parser reads it."""
    response = await client.get("/metrics", headers={} if accept is None else {"Accept": accept})
    headers = response.headers
    assert (200, expected, "no-store") == (response.status_code, headers["content-type"], headers["cache-control"])
    parse = openmetrics if expected == OPENMETRICS else prometheus
    families: list[Any] = list(parse(response.text))
    assert {"backroom_store_up", "backroom_build", "backroom_build_info"} & {each.name for each in families}
    assert all(each.documentation for each in families)


async def test_nothing_acceptable(client: Client) -> None:
    """A client that takes neither format is refused, and so is a query."""
    assert 406 == (await client.get("/metrics", headers={"Accept": "image/png"})).status_code
    assert 400 == (await client.get("/metrics?name=up")).status_code


async def test_methods(client: Client) -> None:
    """HEAD has the headers of GET, and no body; other methods are refused."""
    head = await client.head("/metrics")
    assert (200, TEXT, b"") == (head.status_code, head.headers["content-type"], head.content)
    assert int(head.headers["content-length"]) > 1000
    refused = await client.post("/metrics")
    assert (405, "GET, HEAD, OPTIONS") == (refused.status_code, refused.headers["allow"])


async def test_they_are_compressed(client: Client) -> None:
    """A client that takes gzip gets it: the text is long."""
    response = await client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert "gzip" == response.headers["content-encoding"]
    assert "backroom_store_up 1.0" in response.text


async def test_who_may_read_them(client: Client, store: Store) -> None:
    """Once there is a key, an admin's is needed."""
    admin, writer = await new_key(store), await new_key(store, "write")
    expected = {401: {}, 403: bearer(writer), 200: bearer(admin)}
    assert list(expected) == [(await client.get("/metrics", headers=each)).status_code for each in expected.values()]


def alone(store: Store) -> httpx2.AsyncClient:
    """Return a client of the application that serves the metrics alone, as on an address of their own."""
    app = make_metrics_app(metrics_of(store), AccessLog(lambda _: None), Capacity())
    return httpx2.AsyncClient(transport=InProcess(app), base_url=ORIGIN)


async def test_an_address_of_their_own(store: Store) -> None:
    """There everyone reads them, also when there are keys, and nothing else is there."""
    await new_key(store)
    async with alone(store) as client:
        for method in ("GET", "HEAD"):
            assert 200 == (await client.request(method, "/metrics")).status_code
        for path in ("/", "/tasks", "/healthz", "/metrics/", "/METRICS", "//metrics", "/keys", "/static/app.js"):
            for method in ("GET", "POST", "OPTIONS"):
                assert 404 == (await client.request(method, path)).status_code
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
            refused = await client.request(method, "/metrics")
            assert (405, "GET, HEAD") == (refused.status_code, refused.headers["allow"])


async def test_what_goes_on_at_the_moment(store: Store) -> None:
    """Whoever is asked first notes what it does right now."""
    metrics = metrics_of(store, lambda recorder: recorder.sample(active=7, followers={}, connections=None))
    app = make_metrics_app(metrics, AccessLog(lambda _: None), Capacity())
    async with httpx2.AsyncClient(transport=InProcess(app), base_url=ORIGIN) as client:
        assert "\nhttp_server_active_requests 7.0\n" in (await client.get("/metrics")).text


async def test_many_readers_cost_one_measurement(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask at once, the store is asked once, and all get the same text."""
    asked, measure = [], store.measure

    async def counted(_: Store) -> Measurements:
        asked.append(1)
        return await measure()

    monkeypatch.setattr(type(store), "measure", counted)
    async with alone(store) as client:
        responses = await asyncio.gather(*(client.get("/metrics") for _ in range(50)))
    assert 1 == len(asked) == len({each.text for each in responses})


@pytest.mark.parametrize("error", [Unavailable(), TimeoutError(), RuntimeError("odd")])
async def test_a_store_that_is_away(store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The other metrics are answered all the same, and one says that the store is away."""

    async def fail(_: Store) -> Measurements:
        raise error

    monkeypatch.setattr(type(store), "measure", fail)
    async with alone(store) as client:
        text = (await client.get("/metrics")).text
    assert "\nbackroom_store_up 0.0\n" in text
    assert "backroom_changes_total" not in text
    assert 'backroom_worker_starts_total{worker="0"} 1.0' in text


async def test_a_store_that_does_not_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it for long."""
    monkeypatch.setattr(exposition, "TIMEOUT_S", 0)
    monkeypatch.setattr(type(store), "measure", lambda _: asyncio.Event().wait())
    async with alone(store) as client:
        assert "\nbackroom_store_up 0.0\n" in (await client.get("/metrics")).text


async def test_requests_are_counted_by_route(client: Client) -> None:
    """Every request is counted once, by the template of its path; all paths that do not exist are one."""
    counted: list[tuple[str, str, int]] = []
    client.service.access_log.flush()
    client.service.access_log.count = lambda served: counted.extend(each[:3] for each in served)
    await made(client, "tasks", **MINIMAL["tasks"])
    wrong = ("/tasks/7", "/tasks/x", "/tasks/7/history", "/nope", "/nope/2", "/static/nope.js")
    for path in (*wrong, "/app/", "/tasks?q=1"):
        await client.get(path)
    await client.put("/tasks")
    async with connected(client.service.app, "/ws") as socket:
        await socket.next()
    client.service.access_log.flush()
    expected = [
        ("POST", "/tasks", 201),
        ("GET", "/tasks/{id}", 404),
        ("GET", "/tasks/{id}", 422),
        ("GET", "/tasks/{id}/history", 404),
        ("GET", "(other)", 404),
        ("GET", "(other)", 404),
        ("GET", "/static/{name}", 404),
        ("GET", "/app/", 200),
        ("GET", "/tasks", 200),
        ("PUT", "/tasks", 405),
        ("GET", "/ws", 101),
    ]
    assert expected == counted
