"""One operation in bulk is answered as it would be alone."""

import asyncio
from typing import Any

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.memory.store import MemoryStore
from tests.builders import SERIALIZER, Clock
from tests.http.service import Client, serving
from tests.http.steps import COLLECTIONS, MINIMAL, prepare

DRY = {"Prefer": "validate-only"}
IDS = st.sampled_from([1, 2, 9, 2**63 - 1, 2**63, 10**19 - 1])
VERSIONS = st.none() | st.sampled_from([1, 2, 3, 2**63 - 1])
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", " x ", "a\nb", "\u200b", "x" * 201, 1, -1, 2.5, 9.999, True, [], {}, "high", "done"]
)
FIELDS = st.sampled_from(
    ["title", "name", "status", "due", "notes", "price", "sku", "stock", "id", "version", "created_at", "a/b~c"]
)
BODIES = st.dictionaries(FIELDS, VALUES, max_size=3)


async def alone(client: Client, collection: str, operation: dict[str, Any]) -> httpx2.Response:
    """Send an operation as the request that it stands for."""
    if operation["op"] == "create":
        return await client.post(f"/{collection}", json=operation["body"], headers=DRY)
    version = operation.get("if_match")
    headers = DRY if version is None else {**DRY, "If-Match": f'"{version}"'}
    path = f"/{collection}/{operation['id']}"
    if operation["op"] == "update":
        return await client.put(path, json=operation["body"], headers=headers)
    if operation["op"] == "restore":
        return await client.post(f"{path}/restore", headers=headers)
    if operation["op"] == "stock":
        body = {name: operation[name] for name in ("change", "reason")}
        return await client.post(f"{path}/stock", json=body, headers=headers)
    return await client.delete(path, headers=headers)


def told(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the parts that name the request and its position in a bulk."""
    if "code" not in body:
        return {"status": status, **body}
    errors = [
        {**each, "pointer": each["pointer"].removeprefix("/operations/0").removeprefix("/body")}
        for each in body.get("errors", ())
    ]
    detail = body["detail"].replace("If-Match", "if_match")
    of_bulk = ("request_id", "failed_index", "failures")
    return {
        "status": status,
        **{name: value for name, value in body.items() if name not in of_bulk},
        "errors": errors,
        "detail": detail,
        "error": detail,
    }


async def check_ways(collection: str, operation: dict[str, Any], *, require_if_match: bool) -> None:
    """Check that nothing tells the ways of an operation apart: alone, in bulk, and in bulk where each is for itself."""
    store = MemoryStore(Clock(), SERIALIZER)
    async with serving(store) as client:
        await prepare(client)
    async with serving(store, require_if_match=require_if_match) as client:
        one = await alone(client, collection, operation)
        path = f"/{collection}/bulk"
        atomic = await client.post(path, json={"operations": [operation]}, headers=DRY)
        each = await client.post(path, json={"operations": [operation], "atomic": False}, headers=DRY)
    expected = told(one.status_code, one.json())
    (result,) = each.json()["results"]
    assert expected == told(result["status"], result["body"])
    if atomic.is_success:
        (result,) = atomic.json()["results"]
        assert expected == told(result["status"], result["body"])
    else:
        assert expected == told(atomic.status_code, atomic.json())


@pytest.mark.parametrize("collection", COLLECTIONS)
@given(
    op=st.sampled_from(["create", "update", "delete", "restore", "stock"]),
    id=IDS,
    version=VERSIONS,
    body=BODIES,
    fits=st.booleans(),
    require=st.booleans(),
)
@example(op="update", id=1, version=None, body={}, fits=False, require=True)
@example(op="update", id=1, version=None, body={"title": 5, "name": 5}, fits=False, require=True)
@example(op="delete", id=9, version=None, body={}, fits=False, require=True)
@example(op="update", id=1, version=1, body={"version": 3}, fits=False, require=False)
@example(op="delete", id=2**63, version=None, body={}, fits=False, require=False)
@example(op="create", id=1, version=None, body={"sku": "a/b"}, fits=True, require=True)
def test_alone_and_in_bulk(  # noqa: PLR0917 - hypothesis passes each by its name
    collection: str, op: str, id: int, version: int | None, body: dict[str, Any], fits: bool, require: bool
) -> None:
    """Status, problem, violations and entity are the same; only the location of a violation names the operation."""
    sent = {**MINIMAL[collection], **body} if fits else body
    change = body.get("price", 1)
    operation: dict[str, Any] = {"op": op, "id": id, "body": sent, "if_match": version}
    operation |= {"change": 1 if change is None else change, "reason": body.get("title")}
    used = {"create": ("body",), "update": ("id", "if_match", "body"), "stock": ("id", "if_match", "change", "reason")}
    operation = {name: operation[name] for name in ("op", *used.get(op, ("id", "if_match")))}
    if op == "stock":
        collection = "products"
    asyncio.run(check_ways(collection, operation, require_if_match=require))
