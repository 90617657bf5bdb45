"""Access keys and their credentials."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from attrs import define

from adapters.postgres.connections import Connection
from adapters.postgres.point_reads import read_grant
from domain.access.access_key import AccessKey, Credential, CredentialType, Grant
from domain.access.key_ring import MAX_SESSIONS, SESSION_LASTS, KeyChange, KeyDecision
from domain.access.ports import AccessKeys
from domain.access.scopes import AccessScope

KEY = ("id", "name", "scope", "last_four", "created_at", "expires_at", "last_used_at", "revoked_at")
KEYS = f"SELECT {', '.join(KEY)} FROM access_keys ORDER BY id"
CREDENTIAL = ("hash", "key", "type", "expires_at")
CREDENTIALS = f"SELECT {', '.join(CREDENTIAL)} FROM credentials ORDER BY hash"

# Key changes wait for one another; lookups do not wait.
_TAKE_TURNS = "LOCK TABLE access_keys IN SHARE ROW EXCLUSIVE MODE"

_PUT_KEY = f"""
INSERT INTO access_keys ({", ".join(KEY)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE
SET (last_four, revoked_at) = (excluded.last_four, excluded.revoked_at)
"""
_SHORTEN = "UPDATE credentials SET expires_at = least(expires_at, $1) WHERE key = $2"
_PUT_CREDENTIAL = "INSERT INTO credentials VALUES ($1, $2, $3, $4)"
_MAKE_ROOM = """
DELETE FROM credentials WHERE hash IN (
  SELECT hash FROM credentials WHERE key = $1 AND type = 'session' ORDER BY expires_at DESC OFFSET $2
)
"""
_TOUCH = """
UPDATE access_keys SET last_used_at = greatest(last_used_at, used.at)
FROM unnest($1::bigint[], $2::timestamptz[]) AS used(id, at) WHERE access_keys.id = used.id
"""


@define(eq=False)
class PostgresAccessKeys(AccessKeys):
    """Changes of keys take a lock on their table; look-ups are point reads, and take none."""

    use: Callable[[], AbstractAsyncContextManager[Connection]]
    clock: Callable[[], datetime]
    grant: Callable[[bytes | None], Awaitable[Grant | None]]

    def look_up(self, hash: bytes | None) -> Awaitable[Grant | None]:
        return self.grant(hash)

    async def keys(self) -> tuple[AccessKey, ...]:
        async with self.use() as connection:
            return await _keys(connection)

    async def change(self, decision: KeyDecision, *, dry_run: bool = False) -> AccessKey:
        async with self.use() as connection, connection.transaction(isolation="read_committed"):
            await connection.execute(_TAKE_TURNS)
            at = self.clock()
            after = decision(await _keys(connection), at)
            if not dry_run:
                await _apply(connection, after, at)
            return after.key

    async def open_session(self, token: bytes, by: bytes) -> Grant | None:
        async with self.use() as connection, connection.transaction(isolation="read_committed"):
            await connection.execute(_TAKE_TURNS)  # otherwise a concurrent revocation could miss this session
            at = self.clock()
            shown = await read_grant(connection, by, at)
            if shown is None or shown.actor is None or shown.type is not CredentialType.KEY:
                return None
            expires_at = min(at + SESSION_LASTS, shown.expires_at or at + SESSION_LASTS)
            await connection.execute(_MAKE_ROOM, shown.actor.key, MAX_SESSIONS - 1)
            await connection.execute(_PUT_CREDENTIAL, token, shown.actor.key, CredentialType.SESSION.value, expires_at)
            return await read_grant(connection, token, at)

    async def close_session(self, token: bytes) -> None:
        async with self.use() as connection:
            await connection.execute("DELETE FROM credentials WHERE hash = $1 AND type = 'session'", token)

    async def touch(self, used: Mapping[int, datetime]) -> None:
        async with self.use() as connection:
            await connection.execute(_TOUCH, list(used), list(used.values()))


async def purge(connection: Connection, at: datetime) -> None:
    """Purge the credentials that had expired at a time."""
    await connection.execute("DELETE FROM credentials WHERE expires_at <= $1", at)


def key_of(row: Mapping[str, Any]) -> AccessKey:
    """Return the key of a row."""
    return AccessKey(**{**row, "scope": AccessScope(row["scope"])})


def key_row(key: AccessKey) -> tuple[Any, ...]:
    """Return a key as a row."""
    return tuple(key.scope.value if name == "scope" else getattr(key, name) for name in KEY)


def credential_of(row: Mapping[str, Any]) -> Credential:
    """Return the credential of a row."""
    return Credential(**{**row, "type": CredentialType(row["type"])})


def credential_row(credential: Credential) -> tuple[Any, ...]:
    """Return a credential as a row."""
    return (credential.hash, credential.key, credential.type.value, credential.expires_at)


async def _keys(connection: Connection) -> tuple[AccessKey, ...]:
    return tuple(map(key_of, await connection.fetch(KEYS)))


async def _apply(connection: Connection, change: KeyChange, at: datetime) -> None:
    key = change.key
    await connection.execute(_PUT_KEY, *key_row(key))
    if change.others_until is not None and change.others_until <= at:  # also if the clock is set back later
        await connection.execute("DELETE FROM credentials WHERE key = $1", key.id)
    elif change.others_until is not None:
        await connection.execute(_SHORTEN, change.others_until, key.id)
    if change.hash is not None:
        credential = Credential(hash=change.hash, key=key.id, type=CredentialType.KEY, expires_at=key.expires_at)
        await connection.execute(_PUT_CREDENTIAL, *credential_row(credential))
    await connection.execute("DELETE FROM credentials WHERE key = ANY($1::bigint[])", list(change.dropped))
    await connection.execute("DELETE FROM access_keys WHERE id = ANY($1::bigint[])", list(change.dropped))
