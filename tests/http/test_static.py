"""The pages and their files, which work without the Internet."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from adapters.http.routes import service
from tests.http.service import Client
from tests.http.steps import asked

pytestmark = pytest.mark.anyio

FILES = sorted(path.name for path in Path(str(service.STATIC)).iterdir())
ELSEWHERE = re.compile(r"(?:https?:|wss?:)?//[\w\[]")


class Links(HTMLParser):
    """Collects the URLs that a page names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.urls += [value or "" for name, value in attrs if name in ("href", "src", "action", "srcset", "data")]


@pytest.mark.parametrize("path", ["/docs", "/app/"])
async def test_pages_load_nothing_from_elsewhere(client: Client, path: str) -> None:
    """Every file and every link of a page is the service's own, and is there."""
    response = await client.get(path)

    assert "text/html; charset=utf-8" == response.headers["content-type"]
    urls = Links(response.text).urls
    assert urls
    for url in urls:
        assert url.startswith("#") or re.match(r"/(?!/)", url), url
        assert 200 == (await client.get(url)).status_code, url


@pytest.mark.parametrize("name", FILES)
async def test_files_load_nothing_from_elsewhere(client: Client, name: str) -> None:
    """No script and no style names another host."""
    response = await client.get(f"/static/{name}")

    assert 200 == response.status_code
    without_namespaces = response.text.replace("http://www.w3.org/", "")
    code = "\n".join(line for line in without_namespaces.splitlines() if not line.lstrip().startswith("//"))
    assert not ELSEWHERE.search(code)


async def test_types_of_files(client: Client) -> None:
    """A file has the type that browsers insist on."""
    for name, media_type in (("style.css", "text/css"), ("docs.js", "text/javascript")):
        assert media_type == (await client.get(f"/static/{name}")).headers["content-type"].partition(";")[0]


async def test_unchanged_files(client: Client) -> None:
    """A browser that has a file is told so."""
    tag = (await client.get("/static/style.css")).headers["etag"]

    assert 304 == (await client.get("/static/style.css", headers={"If-None-Match": tag})).status_code


async def test_nothing_else_is_shown(client: Client) -> None:
    """Only files of the folder are shown, whatever path is tried."""
    for path in (
        "/static/",
        "/static/nope.css",
        "/static/../edge.py",
        "/static/..%2Fedge.py",
        "/static/%2E%2E/edge.py",
        "/static/..%5Cedge.py",
        "/static//etc/passwd",
        "/static/%2Fetc%2Fpasswd",
        "/static/style.css/x",
        "/static/style.css%00",
        "/static/%00",
        "/static/%FF",
        "/static/" + "x" * 5000,
        "/static/style.css%0A",
    ):
        assert (404, "not_found") == asked(await client.raw("GET", path)), path


async def test_files_are_read_only(client: Client) -> None:
    """A file has no methods but those that read."""
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = await client.request(method, "/static/style.css")
        assert (405, "method_not_allowed") == asked(response)
        assert {"GET", "HEAD"} <= set(response.headers["allow"].split(", "))
    assert b"" == (await client.head("/static/style.css")).content
    assert {"GET", "HEAD", "OPTIONS"} == set((await client.options("/static/style.css")).headers["allow"].split(", "))
