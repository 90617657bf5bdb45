"""The pages and their files work without the Internet."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest

from adapters.http.routes import static_files
from adapters.http.routes.static_files import STATIC, StaticFiles
from tests.http.service import Client
from tests.http.steps import asked

pytestmark = pytest.mark.anyio

FILES = sorted(str(path.relative_to(str(STATIC))) for path in Path(str(STATIC)).rglob("*") if path.is_file())
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


@pytest.mark.parametrize("path", ["/docs", "/app/", "/app/tasks?status=pending"])
async def test_pages_load_nothing_from_elsewhere(client: Client, path: str) -> None:
    """Every file and link of a page belongs to the service, and exists."""
    response = await client.get(path)

    assert "text/html; charset=utf-8" == response.headers["content-type"]
    urls = Links(response.text).urls
    assert urls
    for url in (urljoin(path, each) for each in urls):
        assert re.match(r"/(?!/)", url), url
        assert 200 == (await client.get(url)).status_code, url


@pytest.mark.parametrize("name", FILES)
async def test_files_load_nothing_from_elsewhere(client: Client, name: str) -> None:
    """No script and no stylesheet names another host."""
    response = await client.get(f"/static/{name}")

    assert 200 == response.status_code
    without_namespaces = response.text.replace("http://www.w3.org/", "")
    code = "\n".join(line for line in without_namespaces.splitlines() if not line.lstrip().startswith("//"))
    assert not ELSEWHERE.search(code)


async def test_types_of_files(client: Client) -> None:
    """A file has the media type that browsers require."""
    for name, media_type in (("style.css", "text/css"), ("docs/docs.js", "text/javascript")):
        assert media_type == (await client.get(f"/static/{name}")).headers["content-type"].partition(";")[0]


async def test_pages_link_to_what_can_be_kept_forever(client: Client) -> None:
    """A page names the version of each file, so a browser can cache it forever."""
    for path in ("/docs", "/app/", "/app/products"):
        links = [urljoin(path, url) for url in Links((await client.get(path)).text).urls if "static/" in url]
        assert links
        for url in links:
            response = await client.get(url)
            assert "public, max-age=31536000, immutable" == response.headers["cache-control"], url
            assert response.content == (STATIC / url.removeprefix("/static/").partition("/")[2]).read_bytes()


async def test_files_import_each_other_in_one_version(client: Client) -> None:
    """Whatever a file of a version names by a relative URL has the same version, and can be cached forever, too."""
    (script,) = re.findall(r"static/\w+/docs/docs\.js", (await client.get("/docs")).text)
    version = script.split("/")[1]
    for name in FILES:
        response = await client.get(f"/static/{version}/{name}")
        assert (200, "public, max-age=31536000, immutable") == (response.status_code, response.headers["cache-control"])


def test_a_version_covers_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another content, another name and another file are another version; the same files are the same."""
    monkeypatch.setattr(static_files, "STATIC", tmp_path)
    (tmp_path / "app").mkdir()
    versions = []
    for name, content in (("a.js", "1"), ("app/b.js", "1"), ("a.js", "2"), ("app/c.js", ""), ("app/c.js", "")):
        (tmp_path / name).write_text(content)
        versions.append(StaticFiles().version)
    assert 4 == len(set(versions))
    assert versions[3] == versions[4]


async def test_a_url_without_a_version(client: Client) -> None:
    """A URL that does not name the version is revalidated, so that no cache keeps an old file."""
    response = await client.get("/static/style.css")

    assert (200, "no-cache") == (response.status_code, response.headers["cache-control"])
    assert "Accept-Encoding" == response.headers["vary"]


SIZE = len((STATIC / "style.css").read_bytes())
IGNORED = [
    "items=0-1",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=5-1",
    "bytes=0-9abc",
    "bytes=a-b",
    "bytes=0-1,3-4",
    "bytes=0-1;x",
    "bytes 0-1",
    "=0-1",
    "",
]


@pytest.mark.parametrize("asked_for", IGNORED)
async def test_what_is_no_range(client: Client, asked_for: str) -> None:
    """An unknown unit, an invalid range, and several ranges at once get the whole file (RFC 9110, 14.2)."""
    response = await client.get("/static/style.css", headers={"Range": asked_for})

    assert (200, SIZE) == (response.status_code, len(response.content))


@pytest.mark.parametrize(
    ("asked_for", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=1-3", 1, 3),
        ("Bytes= 1-3 ", 1, 3),
        ("bytes=,1-3,", 1, 3),
        (f"bytes={SIZE - 2}-", SIZE - 2, SIZE - 1),
        ("bytes=-2", SIZE - 2, SIZE - 1),
        ("bytes=-999999999999999999999999", 0, SIZE - 1),
        ("bytes=0-999999999999999999999999", 0, SIZE - 1),
    ],
)
async def test_parts_of_files(client: Client, asked_for: str, first: int, last: int) -> None:
    """One range of bytes gets these bytes, even if the client accepts gzip."""
    whole = (await client.get("/static/style.css")).content

    for headers in ({"Range": asked_for}, {"Range": asked_for, "Accept-Encoding": "gzip"}):
        response = await client.get("/static/style.css", headers=headers)
        assert (206, whole[first : last + 1]) == (response.status_code, response.content)
        assert f"bytes {first}-{last}/{SIZE}" == response.headers["content-range"]


@pytest.mark.parametrize("asked_for", ["bytes=99999-", f"bytes={SIZE}-", "bytes=-0", "bytes=9999999999999999999999-"])
async def test_parts_that_are_not_there(client: Client, asked_for: str) -> None:
    """A range after the end gets a problem, which tells the size of the file."""
    response = await client.get("/static/style.css", headers={"Range": asked_for})

    assert (416, "range_not_satisfiable") == asked(response)
    assert f"bytes */{SIZE}" == response.headers["content-range"]


async def test_parts_of_what_has_not_changed(client: Client) -> None:
    """With If-Range, only a client with the same file gets a part. HEAD and conditions count before ranges."""
    tag = (await client.get("/static/style.css")).headers["etag"]
    part = {"Range": "bytes=0-3"}

    for condition, status in ((tag, 206), ('"x"', 200), (f"W/{tag}", 200), ("Sat, 31 Jan 2026 12:00:00 GMT", 200)):
        assert status == (await client.get("/static/style.css", headers={**part, "If-Range": condition})).status_code
    assert 200 == (await client.head("/static/style.css", headers=part)).status_code
    assert 304 == (await client.get("/static/style.css", headers={**part, "If-None-Match": tag})).status_code


async def test_unchanged_files(client: Client) -> None:
    """A browser that has a file gets 304."""
    tag = (await client.get("/static/style.css")).headers["etag"]

    assert 304 == (await client.get("/static/style.css", headers={"If-None-Match": tag})).status_code


async def test_nothing_else_is_shown(client: Client) -> None:
    """Only files of the folder are served, whatever path a client tries."""
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
        "/static/0123456789abcdef/style.css",
        f"/static/{StaticFiles().version}/nope.css",
        f"/static/{StaticFiles().version}/{StaticFiles().version}/style.css",
        f"/static/{StaticFiles().version}/",
    ):
        assert (404, "not_found") == asked(await client.raw("GET", path)), path


async def test_files_are_read_only(client: Client) -> None:
    """A file has only methods that read."""
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = await client.request(method, "/static/style.css")
        assert (405, "method_not_allowed") == asked(response)
        assert {"GET", "HEAD"} <= set(response.headers["allow"].split(", "))
    assert b"" == (await client.head("/static/style.css")).content
    assert {"GET", "HEAD", "OPTIONS"} == set((await client.options("/static/style.css")).headers["allow"].split(", "))
