"""Importing a table: rows that others wrote, checked and written as the command does it, some in each request."""

from typing import Any

import pytest

from domain.decisions import MAX_COMMANDS
from domain.ports import Store
from tests.http.service import Client, serving
from tests.http.steps import got, log, made, violations

pytestmark = pytest.mark.anyio

COUNTS = ("rows", "created", "updated", "unchanged", "refused")


async def imported(
    client: Client,
    *rows: str,
    of: str = "products",
    headers: dict[str, str] | None = None,
    goes_on: bool = False,
    **options: Any,
) -> Any:
    """Import rows, and return what is answered."""
    body = {"text": "".join(f"{each}\n" for each in rows), "continue": goes_on, **options}
    response = await client.post(f"/{of}/import", json=body, headers=headers or {})
    assert 200 == response.status_code, response.text
    return response.json()


def counts(report: Any) -> tuple[int, ...]:
    """Return how many rows there are, were created, updated, unchanged and refused."""
    return tuple(report[each] for each in COUNTS)


async def test_rows_are_created(client: Client) -> None:
    """Each row makes an entity; the report has the titles, the first rows as they are, and what may not come twice."""
    report = await imported(client, "name;price;stock;sku", '"A;";9,99;;X', delimiter=";")
    assert (1, 0, 0, 0, 1) == counts(report), "a comma is no sign in amounts, unless that is said"
    assert [] == await log(client)

    rows = ("name;price;stock;sku", '"A; B";9,99;;X', "", "C;1;3;")
    report = await imported(client, *rows, delimiter=";", decimal=",")
    assert (2, 2, 0, 0, 0) == counts(report)
    assert ["name", "price", "stock", "sku"] == report["titles"]
    assert [["A; B", "9,99", None, "X"], ["C", "1", "3", None]] == report["first"]
    assert [{"line": 2, "field": "sku", "value": "X"}] == report["keys"]
    assert ("name;price;stock;sku", None) == (report["header"], report["next_line"])
    products = (await got(client, "/products"))["products"].values()
    assert [("A; B", 9.99, None), ("C", 1, 3)] == [(each["name"], each["price"], each["stock"]) for each in products]


async def test_refused_rows(client: Client) -> None:
    """Refused rows undo all, unless the import goes on; each is told with its line, column and value."""
    rows = ("Name,price,sku", "A,1,X", "B,free,Y", "C,1,X", "D,2,Z")
    columns = {"Name": "name"}
    report = await imported(client, *rows, columns=columns)
    assert (4, 0, 0, 0, 2) == counts(report)
    assert [(3, "price", "free"), (4, "sku", "X")] == [(e["line"], e["column"], e["value"]) for e in report["errors"]]
    assert [] == await log(client)

    dry = {"Prefer": "validate-only"}
    assert (4, 2, 0, 0, 2) == counts(await imported(client, *rows, columns=columns, headers=dry))
    assert [] == await log(client)

    report = await imported(client, *rows, columns=columns, goes_on=True)
    assert (4, 2, 0, 0, 2) == counts(report)
    assert 2 == len(await log(client))


async def test_repeated_with_a_key(client: Client) -> None:
    """With an idempotency key nothing is stored twice; the answer is the first one again."""
    rows = ("name,price", "A,1", "B,free", "C,1")
    headers = {"Idempotency-Key": "once"}
    first = await imported(client, *rows, headers=headers, goes_on=True)
    again = await imported(client, *rows, headers=headers, goes_on=True)
    assert (3, 2, 0, 0, 1) == counts(first)
    assert first == again
    assert 2 == len(await log(client))


async def test_what_is_there_already(client: Client) -> None:
    """A row that is found by its unique value or its id is left alone, or edited; a version that is old is refused."""
    await made(client, "products", name="Old", sku="X")
    assert (1, 0, 0, 1, 0) == counts(await imported(client, "name,price,sku", "New,1,X", match="sku"))
    report = await imported(client, "name,price,sku", "New,1,X", "Other,1,Y", match="sku", update=True)
    assert (2, 1, 1, 0, 0) == counts(report)
    report = await imported(client, "id,version,name,price", "1,1,Newer,2", match="id", update=True)
    assert [(2, "version", "is 2 by now: name, price changed since")] == [
        (each["line"], each["column"], each["reason"]) for each in report["errors"]
    ]
    assert "New" == (await got(client, "/products/1"))["name"]


async def test_a_version_that_is_required(store: Store) -> None:
    """Where changes must name a version, a row that would edit must have one."""
    async with serving(store, require_if_match=True) as client:
        await made(client, "products", sku="X")
        (error,) = (await imported(client, "price,sku", "1,X", match="sku", update=True))["errors"]
        assert ("precondition_required", 2) == (error["code"], error["line"])
        rows = ("id,version,name,price", "1,1,New,1")
        assert (1, 0, 1, 0, 0) == counts(await imported(client, *rows, match="id", update=True))


async def test_in_parts(client: Client) -> None:
    """Of a long table, a request takes as many rows as fit, and whole rows only; lines are those of the table."""
    many = [f'"{number}\n"' for number in range(MAX_COMMANDS)]
    report = await imported(client, "title", *many, "last", of="tasks")
    assert (MAX_COMMANDS, 2 * MAX_COMMANDS + 2) == (report["rows"], report["next_line"])

    report = await imported(client, "title", "A", '"B', of="tasks", more=True)
    assert (1, 3) == (report["rows"], report["next_line"])
    report = await imported(client, report["header"], '"B', 'C"', " ", of="tasks", line=3)
    assert (1, 1, None) == (report["rows"], report["refused"], report["next_line"])
    assert 3 == report["errors"][0]["line"]
    assert 2 == (await imported(client, "title", "A", "B", of="tasks", more=True))["rows"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "the header is missing"),
        ('title\nA\n"B\n', 3, "a quotation mark is never closed"),
        ("titel\nA\n", 1, "the column 'titel' is not a field (did you mean title? there are "),
        ("due\n2026-01-31\n", 1, "there is no column for title"),
    ],
)
async def test_what_is_no_table(client: Client, text: str, line: int, reason: str) -> None:
    """Where a table cannot be read, no row is taken, and the reason has its line."""
    report = (await client.post("/tasks/import", json={"text": text})).json()
    (error,) = report["errors"]
    assert line == error["line"]
    assert error["reason"].startswith(reason)
    assert 0 == report["rows"]
    assert [] == await log(client)


async def test_wrong_options(client: Client) -> None:
    """Options that cannot be taken are refused all at once."""
    options = {"delimiter": "x", "decimal": ";", "columns": {"a": "titel"}, "match": "sku", "line": 0, "else": 1}
    response = await client.post("/tasks/import", json={**options, "update": "yes"})
    assert {
        ("/text", "required"),
        ("/delimiter", "not_a_choice"),
        ("/decimal", "not_a_choice"),
        ("/columns", "unknown_field"),
        ("/match", "not_a_choice"),
        ("/line", "out_of_range"),
        ("/else", "unknown_field"),
        ("/update", "wrong_type"),
    } == set(violations(response))
    response = await client.post("/tasks/import", json={"text": "title\n", "update": True})
    assert [("/update", "required")] == violations(response)
