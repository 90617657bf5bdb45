"""What the gate keeps of what it is shown."""

import asyncio
import secrets
from unittest.mock import AsyncMock

import attrs
import pytest

from adapters.http.admission.gate import Gate
from adapters.http.requests.request import Request
from adapters.memory.access_keys import MemoryAccessKeys
from adapters.shared_memory.rate_limits import SharedRateLimiter
from domain.access.access_key import Actor
from domain.access.key_ring import CreateKey
from domain.access.key_text import make_key
from domain.access.scopes import AccessScope
from tests.builders import Clock

pytestmark = pytest.mark.anyio

SECRETS = [make_key(secrets.choice) for _ in range(2)]


def request(secret: str) -> Request:
    """Return a request that shows a key."""
    return Request("GET", "/tasks", b"", {b"authorization": b"Bearer " + secret.encode()}, AsyncMock(), "1")


async def test_no_key_is_kept_beyond_its_turn() -> None:
    """Each request is granted what its own key is, and once the turn of the event loop ends, the gate knows none."""
    keys = MemoryAccessKeys(Clock(), lambda: None)
    for secret in SECRETS:
        await keys.change(CreateKey(name="till", scope=AccessScope.READ, secret=secret, expires_at=None))
    gate = Gate(keys, SharedRateLimiter(buckets=64))
    requests = [request(secret) for secret in (*SECRETS, *SECRETS)]
    for each in requests:
        await gate.admit(each, AccessScope.READ)
    await asyncio.sleep(0)
    held = str(attrs.asdict(gate, recurse=False))
    assert [Actor(1, "till"), Actor(2, "till")] * 2 == [each.grant.actor for each in requests]
    assert [False, False] == [secret in held for secret in SECRETS]
