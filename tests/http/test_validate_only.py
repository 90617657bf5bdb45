"""Dry runs of writes."""

from typing import Any

import pytest

from tests.http.service import Client
from tests.http.steps import MINIMAL, asked, log, prepare

pytestmark = pytest.mark.anyio

VALIDATE_ONLY = {"Prefer": "validate-only"}
BULK = "/tasks/bulk"
CREATE = {"op": "create", "body": {"title": "a"}}
GOOD, BAD = {"op": "delete", "id": 1}, {"op": "delete", "id": 9}

DECIDED: list[tuple[str, str, Any, int]] = [
    ("POST", "/tasks", MINIMAL["tasks"], 201),
    ("POST", "/tasks", {}, 422),
    ("POST", "/products", {**MINIMAL["products"], "sku": "A-1"}, 409),
    ("PUT", "/tasks/1", {"title": "New"}, 200),
    ("PATCH", "/tasks/1", {"title": "New"}, 200),
    ("PUT", "/tasks/1", {}, 200),
    ("PUT", "/tasks/1", {"version": 1}, 412),
    ("PUT", "/tasks/1", {"nope": 1}, 422),
    ("PUT", "/tasks/9", {}, 404),
    ("PUT", "/tasks/x", {}, 422),
    ("DELETE", "/tasks/1", None, 200),
    ("DELETE", "/tasks/9", None, 404),
    ("POST", "/tasks/2/restore", None, 200),
    ("POST", "/tasks/1/restore", None, 409),
    ("POST", "/products/1/stock", {"change": 1}, 200),
    ("POST", "/products/1/stock", {"change": -6}, 409),
    ("POST", BULK, {"operations": [CREATE, GOOD]}, 200),
    ("POST", BULK, {"operations": [CREATE, BAD]}, 404),
    (
        "POST",
        BULK,
        {"atomic": False, "operations": [GOOD, BAD]},
        207,
    ),
    ("POST", BULK, {"operations": []}, 422),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), DECIDED)
async def test_validate_only(client: Client, method: str, path: str, body: Any, status: int) -> None:
    """A dry run gets the response of a real run, says so, and changes nothing. Then the real write succeeds."""
    await prepare(client)
    await client.put("/products/1", json={"sku": "A-1"})
    before = await log(client)
    headers = {**VALIDATE_ONLY, "Idempotency-Key": "k", "X-Request-ID": "r"}

    dry = await client.request(method, path, json=body, headers=headers)
    assert before == await log(client)
    done = await client.request(method, path, json=body, headers={"Idempotency-Key": "k", "X-Request-ID": "r"})

    assert (status, status) == (dry.status_code, done.status_code)
    assert "validate-only" == dry.headers["preference-applied"]
    assert "preference-applied" not in done.headers
    assert "idempotency-replayed" not in done.headers
    assert done.json() == dry.json()
    for name in ("etag", "location", "content-type"):
        assert done.headers.get(name) == dry.headers.get(name)


async def test_a_key_that_was_used(client: Client) -> None:
    """A dry run under a used key gets the replay, or the error, that a real run gets."""
    headers = {"Idempotency-Key": "k"}
    first = await client.post("/tasks", json={"title": "a"}, headers=headers)

    again = await client.post("/tasks", json={"title": "a"}, headers={**headers, **VALIDATE_ONLY})
    assert (201, first.content, "true") == (again.status_code, again.content, again.headers["idempotency-replayed"])
    assert "validate-only" == again.headers["preference-applied"]
    other = await client.post("/tasks", json={"title": "b"}, headers={**headers, **VALIDATE_ONLY})
    assert (422, "idempotency_key_reused") == asked(other)


@pytest.mark.parametrize(
    "preference",
    ["respond-async, Validate-Only", "validate-only; x=1", "return=minimal,validate-only", "validate-only = true"],
)
async def test_preference_among_others(client: Client, preference: str) -> None:
    """The preference is found among others, and with parameters or a value."""
    response = await client.post("/tasks", json=MINIMAL["tasks"], headers={"Prefer": preference})

    assert "validate-only" == response.headers["preference-applied"]
    assert [] == await log(client)


@pytest.mark.parametrize("preference", ["", "validate", "validate-only-not", "return=minimal; validate-only"])
async def test_other_preferences(client: Client, preference: str) -> None:
    """Unknown preferences are ignored, as their specification demands."""
    response = await client.post("/tasks", json=MINIMAL["tasks"], headers={"Prefer": preference})

    assert "preference-applied" not in response.headers
    assert 1 == len(await log(client))
