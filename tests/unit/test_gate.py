"""What the gate keeps of what it is shown."""

import asyncio
import secrets
from unittest.mock import AsyncMock

import attrs
import pytest

from adapters.http.admission.gate import Gate
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import Unauthorized
from adapters.memory.access_keys import MemoryAccessKeys
from adapters.shared_memory.rate_limits import SharedRateLimiter
from domain.access.access_key import Actor
from domain.access.key_ring import CreateKey
from domain.access.key_text import hash_of, make_key, make_token
from domain.access.scopes import AccessScope
from tests.builders import Clock

pytestmark = pytest.mark.anyio

SECRETS = [make_key(secrets.choice) for _ in range(2)]
TOKEN = make_token(secrets.choice)


def request(secret: str) -> Request:
    """Return a request that shows a key, or the token of a session."""
    shown = (b"authorization", b"Bearer ") if secret in SECRETS else (b"cookie", b"backroom_session=")
    return Request("GET", "/tasks", b"", {shown[0]: shown[1] + secret.encode()}, AsyncMock(), "1")


async def test_no_secret_is_kept_beyond_its_turn() -> None:
    """Each request is granted what its own credential is, and once the turn of the loop ends, the gate knows none."""
    keys = MemoryAccessKeys(Clock(), lambda: None)
    for secret in SECRETS:
        await keys.change(CreateKey(name="till", scope=AccessScope.READ, secret=secret, expires_at=None))
    await keys.open_session(hash_of(TOKEN), hash_of(SECRETS[1]))
    gate = Gate(keys, SharedRateLimiter(buckets=64))
    requests = [request(secret) for secret in (*SECRETS, TOKEN) * 2]
    for each in requests:
        await gate.admit(each, AccessScope.READ)
    await asyncio.sleep(0)
    held = str(attrs.asdict(gate, recurse=False))
    assert [Actor(1, "till"), Actor(2, "till"), Actor(2, "till")] * 2 == [each.grant.actor for each in requests]
    assert [False] * 3 == [secret in held for secret in (*SECRETS, TOKEN)]


async def test_a_secret_counts_for_its_scheme() -> None:
    """The cookie of one scheme counts for no other, also in the same turn."""
    keys = MemoryAccessKeys(Clock(), lambda: None)
    await keys.change(CreateKey(name="till", scope=AccessScope.READ, secret=SECRETS[0], expires_at=None))
    await keys.open_session(hash_of(TOKEN), hash_of(SECRETS[0]))
    gate = Gate(keys, SharedRateLimiter(buckets=64))
    plain, secure = request(TOKEN), request(TOKEN)
    secure.scheme = "https"
    await gate.admit(plain, AccessScope.READ)
    with pytest.raises(Unauthorized):
        await gate.admit(secure, AccessScope.READ)
