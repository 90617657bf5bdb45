"""A repeated request with the same key gets the first response again, and has no second effect."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.ports import OUTCOMES_KEPT
from tests.builders import Clock
from tests.http.service import Client
from tests.http.steps import JSON, MERGE_PATCH, MINIMAL, asked, log, made, prepare, violations

pytestmark = pytest.mark.anyio

KEY = {"Idempotency-Key": "k-1"}
VOLATILE = {"x-request-id", "x-process-time", "idempotency-replayed"}

KEPT: list[tuple[str, str, Any, int]] = [
    ("POST", "/tasks", MINIMAL["tasks"], 201),
    ("POST", "/products", MINIMAL["products"], 201),
    ("PUT", "/tasks/1", {"title": "New"}, 200),
    ("PUT", "/tasks/1", {}, 200),
    ("PATCH", "/tasks/1", {"title": "New"}, 200),
    ("DELETE", "/tasks/1", None, 200),
    ("POST", "/tasks/2/restore", None, 200),
    ("POST", "/products/1/stock", {"change": -2}, 200),
    ("POST", "/tasks/bulk", {"operations": [{"op": "create", "body": MINIMAL["tasks"]}]}, 200),
    ("POST", "/tasks/bulk", {"atomic": False, "operations": [{"op": "delete", "id": 9}]}, 207),
    ("PUT", "/tasks/9", {"title": "New"}, 404),
    ("DELETE", "/tasks/9", None, 404),
    ("POST", "/tasks/bulk", {"operations": [{"op": "delete", "id": 9}]}, 404),
    ("POST", "/tasks/1/restore", None, 409),
    ("POST", "/products", {**MINIMAL["products"], "sku": "TAKEN"}, 409),
    ("POST", "/products/1/stock", {"change": -6}, 409),
    ("PUT", "/tasks/1", {"version": 1}, 412),
]


def lasting(response: Any) -> dict[str, str]:
    """Return the headers that belong to the outcome, not to this one response."""
    return {name: value for name, value in response.headers.items() if name not in VOLATILE}


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: f"{kept[0]} {kept[1]} {kept[3]}")
async def test_replay(client: Client, other: Client, kept: tuple[str, str, Any, int]) -> None:
    """A repeated request gets the stored outcome byte for byte, in another process too, and takes effect once."""
    method, path, body, status = kept
    await prepare(client)
    await client.put("/products/1", json={"sku": "TAKEN"})

    first = await client.request(method, path, json=body, headers=KEY)
    after = await log(client)
    again = [await each.request(method, path, json=body, headers=KEY) for each in (client, other, client)]

    assert status == first.status_code
    assert "idempotency-replayed" not in first.headers
    for each in again:
        assert (status, first.content) == (each.status_code, each.content)
        assert lasting(first) == lasting(each)
        assert "true" == each.headers["idempotency-replayed"]
    assert after == await log(client)


async def test_replay_outlives_what_it_tells_of(client: Client) -> None:
    """The first response is repeated even if the entity was edited and deleted since."""
    first = await client.post("/tasks", json=MINIMAL["tasks"], headers=KEY)
    await client.put("/tasks/1", json={"title": "New"})
    await client.delete("/tasks/1")

    assert first.content == (await client.post("/tasks", json=MINIMAL["tasks"], headers=KEY)).content


async def test_error_is_replayed_though_it_would_succeed_now(client: Client) -> None:
    """A 404 under a key stays a 404, even if the entity was created since."""
    assert 404 == (await client.put("/tasks/1", json={"title": "New"}, headers=KEY)).status_code
    await made(client, "tasks")

    assert 404 == (await client.put("/tasks/1", json={"title": "New"}, headers=KEY)).status_code


@pytest.mark.parametrize(
    ("method", "path", "content", "headers"),
    [
        ("PUT", "/tasks/1", b'{"title":"Other"}', JSON),
        ("PUT", "/tasks/1", b'{"title": "New"}', JSON),
        ("PUT", "/tasks/2", b'{"title":"New"}', JSON),
        ("PATCH", "/tasks/1", b'{"title":"New"}', JSON),
        ("PATCH", "/tasks/1", b'{"title":"New"}', MERGE_PATCH),
        ("PUT", "/tasks/1", b'{"title":"New"}', {**JSON, "If-Match": "*"}),
        ("PUT", "/tasks/1", b'{"title":"New"}', {"Content-Type": "application/json; charset=utf-8"}),
        ("DELETE", "/tasks/1", b"", {}),
        ("POST", "/tasks", b'{"title":"New"}', JSON),
        ("POST", "/products", b'{"name":"New","price":1}', JSON),
    ],
)
async def test_key_of_another_request(
    client: Client, method: str, path: str, content: bytes, headers: dict[str, str]
) -> None:
    """A key with another method, path, relevant header or body gets an error, and nothing happens."""
    await made(client, "tasks")
    await client.put("/tasks/1", content=b'{"title":"New"}', headers={**JSON, **KEY})
    before = await log(client)

    response = await client.request(method, path, content=content, headers={**headers, **KEY})

    assert (422, "idempotency_key_reused") == asked(response)
    assert before == await log(client)


@pytest.mark.parametrize(
    ("one", "other"),
    [("k", '"k"'), ('"k"', "k"), ('"a\\"b"', 'a"b'), ('"a\\\\b"', "a\\b"), ("x" * 255, f'"{"x" * 255}"')],
)
async def test_quotes_do_not_matter(client: Client, one: str, other: str) -> None:
    """A key with the quotes of a structured field is the same as without them."""
    for key in (one, other):
        response = await client.post("/tasks", json=MINIMAL["tasks"], headers={"Idempotency-Key": key})
        assert 201 == response.status_code
    assert "true" == response.headers["idempotency-replayed"]


async def test_other_keys_are_other_requests(client: Client) -> None:
    """Keys differ by case and by every other character."""
    for key in ("k", "K", "'k'", '"', "~", "!"):
        response = await client.post("/tasks", json=MINIMAL["tasks"], headers={"Idempotency-Key": key})
        assert "idempotency-replayed" not in response.headers
    assert 6 == len(await log(client))


@pytest.mark.parametrize("key", ["", '""', " ", "a b", "é", "\t", "x" * 256, f'"{"x" * 256}"', "\x7f"])
async def test_malformed_keys(client: Client, key: str) -> None:
    """A malformed key gets an error on every type of write. If it were ignored, a retry could write twice."""
    await prepare(client)
    before = await log(client)

    for method, path, body, _ in KEPT:
        headers = {"Idempotency-Key": key.encode("latin-1")}
        response = await client.request(method, path, json=body, headers=headers)  # type: ignore[arg-type]
        assert (400, "bad_header") == asked(response), (method, path)
    assert before == await log(client)


async def test_two_keys_are_none(client: Client) -> None:
    """A request with two keys gets an error."""
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]

    assert (400, "bad_header") == asked(await client.post("/tasks", json=MINIMAL["tasks"], headers=headers))


async def test_corrected_request_with_the_same_key(client: Client) -> None:
    """A validation error is not stored, so a corrected request passes under the same key."""
    for refused in ({}, {"title": ""}, {"nope": 1}):
        response = await client.post("/tasks", json=refused, headers=KEY)
        assert (422, "invalid") == asked(response)
        assert "idempotency-replayed" not in response.headers
    assert 400 == (await client.post("/tasks", content=b"{", headers={**JSON, **KEY})).status_code

    assert 201 == (await client.post("/tasks", json=MINIMAL["tasks"], headers=KEY)).status_code


async def test_rule_that_the_store_found_broken_is_not_kept(client: Client) -> None:
    """A changed read-only field and a stock above the limit give 422 each time, and can be corrected."""
    await made(client, "products", stock=1)

    for body in ({"id": 9}, {"id": 9}):
        assert [("/id", "read_only")] == violations(await client.put("/products/1", json=body, headers=KEY))
    for _ in range(2):
        response = await client.post("/products/1/stock", json={"change": 2**31 - 1}, headers=KEY)
        assert [("/change", "out_of_range")] == violations(response)
    assert 200 == (await client.put("/products/1", json={"name": "New"}, headers=KEY)).status_code


async def test_keys_are_forgotten_after_a_day(client: Client, clock: Clock) -> None:
    """A key can be used again after exactly 24 hours."""
    await client.post("/tasks", json=MINIMAL["tasks"], headers=KEY)
    clock.now += OUTCOMES_KEPT - timedelta(microseconds=1)
    assert "idempotency-replayed" in (await client.post("/tasks", json=MINIMAL["tasks"], headers=KEY)).headers
    clock.now += timedelta(microseconds=1)

    anew = await client.post("/tasks", json={"title": "Other"}, headers=KEY)
    assert (201, False) == (anew.status_code, "idempotency-replayed" in anew.headers)


async def test_reads_have_no_keys(client: Client) -> None:
    """A key on a read is ignored, and is not used up."""
    for _ in range(2):
        assert "idempotency-replayed" not in (await client.get("/tasks", headers=KEY)).headers

    assert "idempotency-replayed" not in (await client.post("/tasks", json=MINIMAL["tasks"], headers=KEY)).headers


async def test_many_at_once(client: Client, other: Client) -> None:
    """Of many equal requests at once, in any process, one takes effect. Others get its outcome, or must wait."""
    clients = [client, other] * 10

    answers = await asyncio.gather(*(each.post("/tasks", json=MINIMAL["tasks"], headers=KEY) for each in clients))

    assert 1 == len(await log(client))
    assert 1 == sum(each.status_code == 201 and "idempotency-replayed" not in each.headers for each in answers)
    for each in answers:
        assert each.status_code == 201 or (409, "idempotency_key_in_flight") == asked(each)
