"""The fields of tasks and products: which values they accept, and the errors for all others."""

from typing import Any

import orjson
import pytest

from tests.http.service import Client
from tests.http.steps import COLLECTIONS, JSON, MINIMAL, NAME, made, violations

pytestmark = pytest.mark.anyio

MOST = "999999999.99"

TAKEN = [
    ("tasks", "title", '"  a  "', "a"),
    ("tasks", "title", f'"{"x" * 200}"', "x" * 200),
    ("tasks", "title", f'"  {"😀" * 200}  "', "😀" * 200),
    ("tasks", "title", r'"\ud83d\ude00"', "😀"),
    ("tasks", "title", '"a\u200d\u200f\ufeffb"', "a\u200d\u200f\ufeffb"),
    ("tasks", "status", '"cancelled"', "cancelled"),
    ("tasks", "priority", '"low"', "low"),
    ("tasks", "due", '"2028-02-29"', "2028-02-29"),
    ("tasks", "due", '"0001-01-01"', "0001-01-01"),
    ("tasks", "notes", r'"a\r\nb\n\tc"', "a\nb\n\tc"),
    ("tasks", "notes", '"a\u2028b"', "a\u2028b"),
    ("tasks", "notes", '"  "', ""),
    ("tasks", "notes", f'"{"x" * 10_000}"', "x" * 10_000),
    ("products", "name", f'"{"x" * 200}"', "x" * 200),
    ("products", "category", f'"{"x" * 100}"', "x" * 100),
    ("products", "sku", '"A-z.0_9"', "A-z.0_9"),
    ("products", "sku", f'"{"x" * 64}"', "x" * 64),
    ("products", "stock", "2147483647", 2**31 - 1),
    ("products", "stock", "0", 0),
    ("products", "stock", "5.0", 5),
    ("products", "description", f'"{"x" * 10_000}"', "x" * 10_000),
]
PRICES = [
    ("0", "0.0"),
    ("-0", "0.0"),
    ("-0.0", "0.0"),
    ("9.99", "9.99"),
    ("9.990", "9.99"),
    ("9.9900000000000000000000000000000000000000", "9.99"),
    ("1e2", "100.0"),
    ("999E-2", "9.99"),
    (MOST, MOST),
    (f'"{MOST}"', MOST),
    ('"9.9"', "9.9"),
    ('"007"', "7.0"),
]
REFUSED = [
    ("tasks", "title", '""', "required"),
    ("tasks", "title", '" \u3000 "', "required"),
    ("tasks", "title", "null", "required"),
    ("tasks", "title", "7", "wrong_type"),
    ("tasks", "title", f'"{"x" * 201}"', "too_long"),
    ("tasks", "title", r'"a\nb"', "forbidden_character"),
    ("tasks", "title", r'"a\tb"', "forbidden_character"),
    ("tasks", "title", r'"a\u0000b"', "forbidden_character"),
    ("tasks", "title", r'"a\u0085b"', "forbidden_character"),
    ("tasks", "title", r'"a\u2029b"', "forbidden_character"),
    ("tasks", "status", '"open"', "not_a_choice"),
    ("tasks", "status", '"Done"', "not_a_choice"),
    ("tasks", "status", '["done"]', "not_a_choice"),
    ("tasks", "priority", "1", "not_a_choice"),
    ("tasks", "due", '"2026-02-29"', "not_a_date"),
    ("tasks", "due", '"20260228"', "not_a_date"),
    ("tasks", "due", '"2026-02-28T00:00:00Z"', "not_a_date"),
    ("tasks", "due", "20260228", "wrong_type"),
    ("tasks", "notes", r'"a\u000bb"', "forbidden_character"),
    ("tasks", "notes", '"' + "\u0301" * 31 + '"', "too_many_marks"),
    ("tasks", "title", '"a' + r"\u0301" * 31 + '"', "too_many_marks"),
    ("products", "description", '"a' + "\u3099" * 31 + '"', "too_many_marks"),
    ("tasks", "notes", f'"{"x" * 10_001}"', "too_long"),
    ("products", "name", "[]", "wrong_type"),
    ("products", "category", f'"{"x" * 101}"', "too_long"),
    ("products", "category", '" "', "blank"),
    ("products", "sku", '""', "blank"),
    ("products", "sku", f'"{"x" * 65}"', "too_long"),
    ("products", "sku", '"a b"', "forbidden_character"),
    ("products", "sku", '"é"', "forbidden_character"),
    ("products", "stock", "-1", "out_of_range"),
    ("products", "stock", "2147483648", "out_of_range"),
    ("products", "stock", "1e400", "out_of_range"),
    ("products", "stock", "1.5", "wrong_type"),
    ("products", "stock", '"1"', "wrong_type"),
    ("products", "stock", "true", "wrong_type"),
    ("products", "description", r'"\u0007"', "forbidden_character"),
    ("products", "price", "null", "required"),
    ("products", "price", "true", "wrong_type"),
    ("products", "price", "{}", "wrong_type"),
    ("products", "price", '"1e2"', "wrong_type"),
    ("products", "price", '"9.999"', "wrong_type"),
    ("products", "price", '"-1"', "wrong_type"),
    ("products", "price", '" 1"', "wrong_type"),
    ("products", "price", '"١"', "wrong_type"),
    ("products", "price", '"NaN"', "wrong_type"),
    ("products", "price", "9.999", "too_many_decimals"),
    ("products", "price", "0.00000000000000000000000000000000000001", "too_many_decimals"),
    ("products", "price", "-0.01", "out_of_range"),
    ("products", "price", "1000000000", "out_of_range"),
    ("products", "price", "1e99999999999999999999", "out_of_range"),
    ("products", "price", "1e-99999999999999999999", "out_of_range"),
]


def with_field(collection: str, name: str, text: str) -> str:
    """Return a document that is valid except for this field, whose value is written as it is."""
    rest = orjson.dumps({key: value for key, value in MINIMAL[collection].items() if key != name}).decode()
    return f'{rest[:-1]}{"," if len(rest) > 2 else ""}"{name}":{text}}}'


@pytest.mark.parametrize(("collection", "field", "sent", "answered"), TAKEN)
async def test_is_taken(client: Client, collection: str, field: str, sent: str, answered: Any) -> None:
    """Each value at a limit is accepted, in a new entity and in an edit."""
    await made(client, collection)
    changed = await client.put(f"/{collection}/1", content=f'{{"{field}": {sent}}}', headers=JSON)
    await client.delete(f"/{collection}/1")
    created = await client.post(f"/{collection}", content=with_field(collection, field, sent), headers=JSON)

    assert (200, answered) == (changed.status_code, changed.json()[field])
    assert (201, answered) == (created.status_code, created.json()[field])


@pytest.mark.parametrize(("sent", "answered"), PRICES)
async def test_price_is_exact(client: Client, sent: str, answered: str) -> None:
    """A price is read digit by digit, and returned as a number of exactly that value."""
    response = await client.post("/products", content=with_field("products", "price", sent), headers=JSON)

    assert 201 == response.status_code
    assert f'"price":{answered},'.encode() in response.content
    assert f'"price":{answered},'.encode() in (await client.get("/products")).content


@pytest.mark.parametrize(("collection", "field", "sent", "code"), REFUSED)
async def test_is_refused(client: Client, collection: str, field: str, sent: str, code: str) -> None:
    """Each value beyond a limit gets an error with its pointer and code, and changes nothing."""
    before = await made(client, collection)
    created = await client.post(f"/{collection}", content=with_field(collection, field, sent), headers=JSON)

    assert [(f"/{field}", code)] == violations(created)
    assert "body" == created.json()["errors"][0]["in"]
    for method in ("PUT", "PATCH"):
        changed = await client.request(method, f"/{collection}/1", content=f'{{"{field}": {sent}}}', headers=JSON)
        assert [(f"/{field}", code)] == violations(changed)
    assert before == (await client.get(f"/{collection}/1")).json()


async def test_missing_fields_are_named_in_a_sentence(client: Client) -> None:
    """`error` and `detail` name the missing fields in one sentence, for simple clients."""
    task = (await client.post("/tasks", json={})).json()
    product = (await client.post("/products", json={"name": " ", "price": None})).json()

    assert "title is required" == task["error"] == task["detail"]
    assert [{"in": "body", "pointer": "/title", "code": "required", "detail": "title is required"}] == task["errors"]
    assert "name and price are required" == product["error"] == product["detail"]


@pytest.mark.parametrize("collection", COLLECTIONS)
async def test_all_violations_are_reported_at_once(client: Client, collection: str) -> None:
    """A document with several violations gets one error with all of them."""
    sent = {"nope": 1, "~/": 2, "version": 1, NAME[collection]: 5}

    response = await client.put(f"/{collection}/1", json=sent)

    expected = {("/nope", "unknown_field"), ("/~0~1", "unknown_field"), (f"/{NAME[collection]}", "wrong_type")}
    assert expected == set(violations(response))


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("field", ["id", "version", "created_at", "updated_at"])
async def test_new_entity_has_no_read_only_fields(client: Client, collection: str, field: str) -> None:
    """A new entity cannot set its own id, version or times."""
    response = await client.post(f"/{collection}", json={**MINIMAL[collection], field: 1})

    assert [(f"/{field}", "read_only")] == violations(response)
