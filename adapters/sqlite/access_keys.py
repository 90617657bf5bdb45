"""Access keys and their credentials."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import apsw
from attrs import define

from adapters.sqlite.connections import Read, Write, fetch
from adapters.sqlite.table_mapping import SqlValue, microseconds, moment
from domain.access.access_key import OPEN, AccessKey, Actor, Credential, CredentialType, Grant
from domain.access.key_ring import MAX_SESSIONS, SESSION_LASTS, KeyChange, KeyDecision
from domain.access.ports import AccessKeys
from domain.access.scopes import AccessScope

_KEY = "id, name, scope, last_four, created_at, expires_at, last_used_at, revoked_at"
KEYS = f"SELECT {_KEY} FROM access_keys ORDER BY id"
PUT_KEY = f"REPLACE INTO access_keys ({_KEY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

_CREDENTIAL = "hash, key, type, expires_at"
CREDENTIALS = f"SELECT {_CREDENTIAL} FROM credentials ORDER BY hash"
PUT_CREDENTIAL = f"INSERT INTO credentials ({_CREDENTIAL}) VALUES (?, ?, ?, ?)"

_LOOK_UP = """
SELECT key, name, scope, type, credentials.expires_at FROM credentials JOIN access_keys ON id = key
WHERE hash = ?
"""
_IS_CLOSED = "SELECT 1 FROM access_keys LIMIT 1"
_SHORTEN = "UPDATE credentials SET expires_at = min(ifnull(expires_at, ?1), ?1) WHERE key = ?2"
_MAKE_ROOM = """
DELETE FROM credentials WHERE hash IN (
  SELECT hash FROM credentials WHERE key = ? AND type = 'session' ORDER BY expires_at DESC LIMIT -1 OFFSET ?
)
"""
_TOUCH = "UPDATE access_keys SET last_used_at = max(ifnull(last_used_at, ?1), ?1) WHERE id = ?2"

_SCOPES = {scope.value: scope for scope in AccessScope}
_TYPES = {each.value: each for each in CredentialType}


@define(eq=False)
class SqliteAccessKeys(AccessKeys):
    """Looks up in the snapshot of the event loop's turn, and writes through the store's one writer.

    `found` has the grants of this turn by their hashes. The store empties it when the snapshot ends.
    """

    found: dict[bytes | None, Grant | None]
    read: Read
    write: Write
    clock: Callable[[], datetime]

    async def look_up(self, hash: bytes | None) -> Grant | None:
        try:
            grant = self.found[hash]
        except KeyError:
            grant = self.found[hash] = await self.read(lambda connection: _find(connection, hash))
        return _unless_expired(grant, self.clock)

    async def keys(self) -> tuple[AccessKey, ...]:
        keys: tuple[AccessKey, ...] = await self.read(_keys)
        return keys

    async def change(self, decision: KeyDecision, *, dry_run: bool = False) -> AccessKey:
        def change(connection: apsw.Connection, at: datetime) -> AccessKey:
            after = decision(_keys(connection), at)
            if not dry_run:
                _apply(connection, after, at)
            return after.key

        key: AccessKey = await self.write(change)
        return key

    async def open_session(self, token: bytes, by: bytes) -> Grant | None:
        def open_session(connection: apsw.Connection, at: datetime) -> Grant | None:
            shown = _unless_expired(_find(connection, by), lambda: at)
            if shown is None or shown.actor is None or shown.type is not CredentialType.KEY:
                return None
            expires_at = min(at + SESSION_LASTS, shown.expires_at or at + SESSION_LASTS)
            connection.execute(_MAKE_ROOM, (shown.actor.key, MAX_SESSIONS - 1))
            connection.execute(PUT_CREDENTIAL, (token, shown.actor.key, "session", microseconds(expires_at)))
            return _find(connection, token)

        grant: Grant | None = await self.write(open_session)
        return grant

    async def close_session(self, token: bytes) -> None:
        sql = "DELETE FROM credentials WHERE hash = ? AND type = 'session'"
        await self.write(lambda connection, _: connection.execute(sql, (token,)))

    async def touch(self, used: Mapping[int, datetime]) -> None:
        rows = [(microseconds(at), id) for id, at in used.items()]
        await self.write(lambda connection, _: connection.executemany(_TOUCH, rows))


def purge(connection: apsw.Connection, at: datetime) -> None:
    """Purge the credentials that had expired at a time."""
    connection.execute("DELETE FROM credentials WHERE expires_at <= ?", (microseconds(at),))


def key_of(row: tuple[Any, ...]) -> AccessKey:
    """Return the key of a row."""
    id, name, scope, last_four, created_at, *times = row
    expires_at, last_used_at, revoked_at = (None if each is None else moment(each) for each in times)
    return AccessKey(
        id=id,
        name=name,
        scope=_SCOPES[scope],
        last_four=last_four,
        created_at=moment(created_at),
        expires_at=expires_at,
        last_used_at=last_used_at,
        revoked_at=revoked_at,
    )


def key_row(key: AccessKey) -> tuple[SqlValue, ...]:
    """Return a key as a row."""
    times = map(_stored, (key.created_at, key.expires_at, key.last_used_at, key.revoked_at))
    return (key.id, key.name, key.scope.value, key.last_four, *times)


def _stored(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)


def credential_of(row: tuple[Any, ...]) -> Credential:
    """Return the credential of a row."""
    hash, key, type, expires_at = row
    return Credential(hash=hash, key=key, type=_TYPES[type], expires_at=expires_at and moment(expires_at))


def credential_row(credential: Credential) -> tuple[SqlValue, ...]:
    """Return a credential as a row."""
    return (credential.hash, credential.key, credential.type.value, _stored(credential.expires_at))


def _keys(connection: apsw.Connection) -> tuple[AccessKey, ...]:
    return tuple(map(key_of, fetch(connection, KEYS)))


def _find(connection: apsw.Connection, hash: bytes | None) -> Grant | None:
    """Return what a credential grants until it expires, or else `OPEN` if there never was a key."""
    row = None if hash is None else connection.execute(_LOOK_UP, (hash,)).fetchone()
    if row is not None:
        return _grant_of(row)
    return None if connection.execute(_IS_CLOSED).fetchone() else OPEN


def _unless_expired(grant: Grant | None, clock: Callable[[], datetime]) -> Grant | None:
    """Return a grant that holds now. Most never expire, and need no clock."""
    return grant if grant is None or grant.expires_at is None or grant.expires_at > clock() else None


@lru_cache(1024)  # recent rows; an equal row gives an equal grant
def _grant_of(row: tuple[Any, ...]) -> Grant:
    key, name, scope, type, expires_at = row
    until = None if expires_at is None else moment(expires_at)
    return Grant(scope=_SCOPES[scope], actor=Actor(key, name), type=_TYPES[type], expires_at=until)


def _apply(connection: apsw.Connection, change: KeyChange, at: datetime) -> None:
    key = change.key
    connection.execute(PUT_KEY, key_row(key))
    if change.others_until is not None and change.others_until <= at:  # also if the clock is set back later
        connection.execute("DELETE FROM credentials WHERE key = ?", (key.id,))
    elif change.others_until is not None:
        connection.execute(_SHORTEN, (microseconds(change.others_until), key.id))
    if change.hash is not None:
        credential = Credential(hash=change.hash, key=key.id, type=CredentialType.KEY, expires_at=key.expires_at)
        connection.execute(PUT_CREDENTIAL, credential_row(credential))
    dropped = [(id,) for id in change.dropped]
    connection.executemany("DELETE FROM access_keys WHERE id = ?", dropped)
    connection.executemany("DELETE FROM credentials WHERE key = ?", dropped)
