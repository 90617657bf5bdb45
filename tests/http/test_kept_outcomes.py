"""The stored form of an outcome under an idempotency key, and the exact bytes of its response.

A change of either must leave `outcomes_form_1.json` alone and add a form: an outcome that was stored yesterday still
gets yesterday's bytes.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from adapters.memory.store import MemoryStore
from tests.builders import SERIALIZER, Clock
from tests.http.service import serving

pytestmark = pytest.mark.anyio

FORM_1 = json.loads(Path(__file__).with_name("outcomes_form_1.json").read_text())
KEY = {"Idempotency-Key": "k", "X-Request-ID": "r-7"}
REPLAYED = KEY | {"X-Request-ID": "r-8"}
EARLIER = (
    b'{"status":201,"headers":[["content-type","application/json"],["etag","\\"1\\""],["location","/tasks/2"]]}\n'
    b'{"id":2,"title":"as it was answered then"}'
)


@pytest.mark.parametrize("case", FORM_1, ids=lambda case: f"{case['method']} {case['path']} {case['status']}")
async def test_form_1(case: dict[str, Any]) -> None:
    """An outcome has this stored form and these response bytes, at first and on every retry."""
    store = MemoryStore(Clock(), SERIALIZER)
    async with serving(store) as client:
        await client.post("/tasks", json={"title": "Sweep"})
        first = await client.request(case["method"], case["path"], json=case["body"], headers=KEY)
        assert case["kept"] == store._outcomes["", "k"].outcome.decode()
        again = await client.request(case["method"], case["path"], json=case["body"], headers=REPLAYED)
    for each in (first, again):
        assert (case["status"], case["answer"]) == (each.status_code, each.text)
        assert case["headers"] == {name: each.headers[name] for name in case["headers"]}


async def test_what_an_earlier_version_kept() -> None:
    """A response that an earlier version stored is repeated unchanged."""
    store = MemoryStore(Clock(), SERIALIZER)
    async with serving(store) as client:
        await client.post("/tasks", json={"title": "Mop"}, headers=KEY)
        store._outcomes["", "k"] = evolve(store._outcomes["", "k"], outcome=EARLIER)
        client._documented = None
        again = await client.post("/tasks", json={"title": "Mop"}, headers=REPLAYED)
    assert (201, EARLIER.partition(b"\n")[2]) == (again.status_code, again.content)
    assert ('"1"', "/tasks/2", "true") == tuple(again.headers[n] for n in ("etag", "location", "idempotency-replayed"))


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/1/rotate"])
async def test_no_secret_is_kept(path: str) -> None:
    """A retry with the key shows a secret again, although no stored outcome holds it."""
    store = MemoryStore(Clock(), SERIALIZER)
    body = {"url": "https://example.com/"}
    async with serving(store) as client:
        await client.post("/webhooks", json=body)
        first = await client.post(path, json=body, headers=KEY)
        again = await client.post(path, json=body, headers=REPLAYED)
    assert first.content == again.content
    assert first.json()["secret"].startswith("whsec_")
    assert b"whsec_" not in store._outcomes["", "k"].outcome
