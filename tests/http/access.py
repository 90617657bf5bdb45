"""Callers with keys, and what they send to be let in."""

import secrets
from datetime import datetime, timedelta

from domain.access.key_ring import CreateKey, RevokeKey
from domain.access.key_text import make_key
from domain.access.scopes import AccessScope
from domain.ports import Store
from tests.builders import Clock
from tests.http.service import Client

Headers = dict[str, str]

UNKNOWN = make_key(lambda characters: characters[0])
"""A key that no store has."""


async def new_key(store: Store, scope: str = "admin", name: str = "till 2", expires_at: datetime | None = None) -> str:
    """Create a key as the command line does."""
    secret = make_key(secrets.choice)
    await store.access_keys.change(CreateKey(name=name, scope=AccessScope(scope), expires_at=expires_at, secret=secret))
    return secret


def bearer(key: str) -> Headers:
    """Return the headers that show a key."""
    return {"Authorization": f"Bearer {key}"}


async def session(client: Client, key: str) -> Headers:
    """Return the headers that a browser sends once it has a session."""
    response = await client.post("/session", json={"key": key})
    assert 200 == response.status_code, response.text
    client.cookies.clear()
    return {"Cookie": response.headers["set-cookie"].partition(";")[0]}


async def callers(client: Client, store: Store, clock: Clock) -> dict[str, Headers]:
    """Return the headers of each type of caller."""
    keys = {scope: await new_key(store, scope) for scope in ("admin", "write", "read")}
    expired = await new_key(store, expires_at=clock.now + timedelta(seconds=1))
    clock.now += timedelta(seconds=1)
    revoked = await new_key(store)
    await store.access_keys.change(RevokeKey(id=len(await store.access_keys.keys())))
    return {
        "nobody": {},
        **{scope: bearer(key) for scope, key in keys.items()},
        "expired": bearer(expired),
        "revoked": bearer(revoked),
        "session": await session(client, keys["write"]),
    }
