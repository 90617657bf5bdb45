"""Lists as CSV and as JSON lines: the same pages in another format."""

import csv
import io
import json

import httpx2
import pytest

from tests.http.service import Client
from tests.http.steps import COLLECTIONS, asked, got, made

pytestmark = pytest.mark.anyio

CSV, NDJSON = "text/csv", "application/x-ndjson"
CSV_TYPE = "text/csv; charset=utf-8; header=present"
EACH = pytest.mark.parametrize("media_type", [CSV, NDJSON])


async def listed(client: Client, url: str, accept: str, **headers: str) -> httpx2.Response:
    """Return a list in an accepted format."""
    return await client.get(url, headers={"Accept": accept, **headers})


async def test_csv(client: Client) -> None:
    """A page is a header and one row for each entity. Null is an empty cell, an empty text is two quotes."""
    task = await made(client, "tasks", title='=1+1, "größer"')
    at = task["created_at"]
    response = await listed(client, "/tasks", CSV)

    assert (200, CSV_TYPE) == (response.status_code, response.headers["content-type"])
    header, row = f"{','.join(task)}\r\n", f'1,1,{at},{at},"=1+1, ""größer""",pending,normal,,"",\r\n'
    assert header + row == response.content.decode()


async def test_csv_of_nothing(client: Client) -> None:
    """An empty list is only a header."""
    assert 1 == (await listed(client, "/products", CSV)).text.count("\r\n")


async def test_numbers_in_csv(client: Client) -> None:
    """A number is written as in JSON."""
    await made(client, "products", price=999999999.99, stock=0)
    (row,) = csv.DictReader(io.StringIO((await listed(client, "/products", CSV)).text, newline=""))
    assert ("999999999.99", "0") == (row["price"], row["stock"])


@pytest.mark.parametrize("collection", COLLECTIONS)
async def test_lines(client: Client, collection: str) -> None:
    """A page has one entity in each line, in the requested order."""
    made_ones = [await made(client, collection) for _ in range(3)]
    response = await listed(client, f"/{collection}?sort=-id", NDJSON)
    assert NDJSON == response.headers["content-type"]
    assert made_ones[::-1] == [json.loads(line) for line in response.text.removesuffix("\n").split("\n")]


@EACH
async def test_walking(client: Client, media_type: str) -> None:
    """Link leads to the next page, the same one as in JSON."""
    for _ in range(3):
        await made(client, "tasks")
    url = "/tasks?limit=2&sort=-id"
    first = await listed(client, url, media_type)
    next = (await got(client, url))["next"]
    assert f'<{next}>; rel="next"' == first.headers["link"]
    last = await listed(client, next, media_type)
    assert (True, "link" in first.headers, "link" in last.headers) == ("1" in last.text, True, False)


async def test_long_page(client: Client) -> None:
    """A page that is written in several turns has every row once."""
    operations = [{"op": "create", "body": {"title": "t"}} for _ in range(450)]
    assert 200 == (await client.post("/tasks/bulk", json={"operations": operations})).status_code
    rows = csv.DictReader(io.StringIO((await listed(client, "/tasks?limit=1000", CSV)).text, newline=""))
    assert [f"{id}" for id in range(1, 451)] == [row["id"] for row in rows]


@EACH
async def test_tags(client: Client, media_type: str) -> None:
    """Each format has its own etag, which gives 304 until something changes."""
    await made(client, "tasks")
    response, as_json = await listed(client, "/tasks", media_type), await client.get("/tasks")
    tag, other = response.headers["etag"], as_json.headers["etag"]
    assert tag != other
    assert "Accept, Accept-Encoding" == response.headers["vary"]
    statuses = [
        (await listed(client, "/tasks", media_type, **{"If-None-Match": each})).status_code for each in (tag, other)
    ]
    assert [304, 200] == statuses
    await made(client, "tasks")
    assert 200 == (await listed(client, "/tasks", media_type, **{"If-None-Match": tag})).status_code


@EACH
async def test_head(client: Client, media_type: str) -> None:
    """HEAD has the headers that GET has."""
    await made(client, "tasks")
    head = await client.head("/tasks", headers={"Accept": media_type})
    whole = await listed(client, "/tasks", media_type)
    assert b"" == head.content
    for name in ("content-type", "content-length", "etag"):
        assert whole.headers[name] == head.headers[name]


@pytest.mark.parametrize(
    ("accept", "shown"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/*", CSV_TYPE),
        ("text/csv;q=0.5, application/json;q=0.4", CSV_TYPE),
        ("text/csv;q=0.5, */*;q=0.5", "application/json"),
        ("text/html, application/x-ndjson;q=0.1", NDJSON),
        ("Text/CSV; header=present", CSV_TYPE),
    ],
)
async def test_negotiation(client: Client, accept: str, shown: str) -> None:
    """The client gets the format that it prefers, or JSON if it has no preference."""
    assert shown == (await listed(client, "/tasks", accept)).headers["content-type"]


@pytest.mark.parametrize(
    ("path", "accept"), [("/tasks", "text/html"), ("/tasks", "text/csv;q=0"), ("/webhooks", CSV), ("/changes", NDJSON)]
)
async def test_other_forms(client: Client, path: str, accept: str) -> None:
    """A format that the path does not have gets 406, even if another path has it."""
    assert (406, "not_acceptable") == asked(await listed(client, path, accept))
