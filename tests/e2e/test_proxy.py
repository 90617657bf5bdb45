"""Behind nginx as a reverse proxy and as a shared cache: nobody gets what is another's, and pages can write."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.e2e.proxy import AS_TOLD, BOLD_CACHE, CACHE, ROOM, in_front_of, needed
from tests.e2e.service import Service, running

SHOP, OTHER = "https://shop.example", "https://other.example"
GZIP, HTML = {"Accept-Encoding": "gzip"}, {"Accept": "text/html"}
LONG = "x" * 5000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service with a long task, which trusts the proxy on this machine and lets two origins read."""
    needed()
    settings = {"store": "memory://", "trusted_proxies": "127.0.0.1", "cors_origins": f"{SHOP},{OTHER}"}
    hosts = "127.0.0.1,shop.example"
    with running(tmp_path_factory.mktemp("service"), allowed_hosts=hosts, **settings) as service:
        with service.client() as client:
            assert 201 == client.post("/tasks", json={"title": "a", "notes": LONG}).status_code
        yield service


def told(response: httpx2.Response) -> dict[str, Any]:
    """Return what of an answer depends on who asks, and nothing that depends on the moment."""
    names = ("content-type", "content-encoding", "access-control-allow-origin", "etag")
    return {"status": response.status_code, **{name: response.headers.get(name) for name in names}}


ASKED: list[dict[str, str]] = [
    {},
    GZIP,
    {"Accept-Encoding": "identity"},
    HTML,
    {"Origin": SHOP},
    {"Origin": OTHER},
    {**GZIP, "Origin": SHOP},
    {**HTML, **GZIP, "Origin": OTHER},
]
PATHS = ["/tasks", "/tasks/1", "/products", "/tasks/1/history", "/changes", "/", "/nope", "/problems/invalid", "/docs"]


@pytest.mark.parametrize("directives", [CACHE, BOLD_CACHE], ids=["a cache that obeys", "a cache that keeps everything"])
def test_no_answer_to_one_is_given_to_another(service: Service, directives: str) -> None:
    """Each client gets the same answer as without a cache; by `Vary` alone, if necessary."""
    with in_front_of(service.url, AS_TOLD, directives) as cache, service.client() as direct:
        for header in ("accept", "accept-encoding", "user-agent"):
            del direct.headers[header]
        for path in [*PATHS, "/static/app/app.css", "/openapi.json"]:
            for headers in (*ASKED, *reversed(ASKED)):
                alone = direct.get(path, headers=headers)
                assert told(alone) == told(cache.get(path, headers=headers)), (path, headers)


def test_data_is_not_kept_and_files_are(service: Service) -> None:
    """A shared cache keeps the files that never change, each encoding apart, and no data at all."""
    with in_front_of(service.url, AS_TOLD, CACHE) as cache:
        for path in PATHS:
            assert ["MISS", "MISS"] == [cache.get(path).headers["x-cache"] for _ in range(2)], path
        (style,) = re.findall(r'href="\.\./(static/[0-9a-f]+/app/app\.css)"', cache.get("/app/").text)
        for headers in ({}, GZIP):
            first, second = cache.get(f"/{style}", headers=headers), cache.get(f"/{style}", headers=headers)
            assert ("MISS", "HIT") == (first.headers["x-cache"], second.headers["x-cache"])
            assert told(first) == told(second)
        assert ["MISS", "MISS"] == [cache.get("/static/app/app.css").headers["x-cache"] for _ in range(2)]


def test_conditions_pass_a_proxy(service: Service) -> None:
    """A client behind a proxy that has an answer is told so, also when a proxy compresses and weakens tags."""
    compressing = "gzip on; gzip_proxied any; gzip_types application/json; gzip_min_length 1;"
    for directives in ("", compressing):
        with in_front_of(service.url, AS_TOLD, directives) as proxy:
            for headers in ({}, GZIP):
                for path in ("/tasks/1", "/tasks"):
                    tag = proxy.get(path, headers=headers).headers["etag"]
                    again = proxy.get(path, headers={**headers, "If-None-Match": tag})
                    assert (304, b"") == (again.status_code, again.content)
                tag = proxy.get("/tasks/1", headers=headers).headers["etag"]
                kept = proxy.put("/tasks/1", json={}, headers={**headers, "If-Match": tag})
                assert 200 == kept.status_code


def test_pages_write_behind_a_proxy(service: Service) -> None:
    """Its own page can write where the proxy tells the host, as the README shows; another page cannot."""
    with in_front_of(service.url, AS_TOLD) as proxy:
        own = proxy.post("/tasks", json={"title": "b"}, headers={"Origin": ROOM})
        strange = proxy.post("/tasks", json={"title": "b"}, headers={"Origin": "http://stranger.example"})
    assert (201, 403) == (own.status_code, strange.status_code)


def test_pages_write_behind_nginx_as_it_comes(service: Service) -> None:
    """If the proxy tells nothing, `Sec-Fetch-Site` of the browser decides; without it the page cannot write."""
    with in_front_of(service.url) as proxy:
        headers = {"Origin": ROOM, "Sec-Fetch-Site": "same-origin"}
        known = proxy.post("/tasks", json={"title": "c"}, headers=headers)
        unknown = proxy.post("/tasks", json={"title": "c"}, headers={"Origin": ROOM})
    assert (201, 403) == (known.status_code, unknown.status_code)


def test_streams_pass_a_proxy(service: Service) -> None:
    """An event comes through as soon as it is there: nginx, which asks by HTTP/1.0, is told not to gather."""
    with in_front_of(service.url, AS_TOLD) as proxy, proxy.stream("GET", "/changes/stream?after=now") as events:
        lines = events.iter_lines()
        assert ": still here" == next(lines)
        with service.client() as client:
            created = client.post("/tasks", json={"title": "d"}).json()
        assert f'"id":{created["id"]},' in next(line for line in lines if line.startswith("data: "))
