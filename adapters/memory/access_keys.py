"""Access keys and their credentials."""

from collections.abc import Callable, Mapping
from datetime import datetime

from attrs import define, evolve, field

from domain.access.access_key import OPEN, AccessKey, Actor, Credential, CredentialType, Grant
from domain.access.key_ring import MAX_SESSIONS, SESSION_LASTS, KeyChange, KeyDecision
from domain.access.ports import AccessKeys


@define(eq=False)
class MemoryAccessKeys(AccessKeys):
    """Keeps everything in this process. No method awaits, so each is atomic on the event loop."""

    clock: Callable[[], datetime]
    check_open: Callable[[], None]

    _keys: dict[int, AccessKey] = field(factory=dict, init=False)
    _credentials: dict[bytes, Credential] = field(factory=dict, init=False)

    async def look_up(self, hash: bytes | None) -> Grant | None:
        self.check_open()
        return self._granted(hash) if self._keys else OPEN

    async def keys(self) -> tuple[AccessKey, ...]:
        self.check_open()
        return tuple(self._keys.values())

    async def change(self, decision: KeyDecision, *, dry_run: bool = False) -> AccessKey:
        self.check_open()
        at = self.clock()
        after = decision(tuple(self._keys.values()), at)
        if not dry_run:
            self._apply(after, at)
        return after.key

    async def open_session(self, token: bytes, by: bytes) -> Grant | None:
        self.check_open()
        at, shown = self.clock(), self._granted(by)
        if shown is None or shown.actor is None or shown.type is not CredentialType.KEY:
            return None
        expires_at = min(at + SESSION_LASTS, shown.expires_at or at + SESSION_LASTS)
        self._make_room(shown.actor.key)
        session = Credential(hash=token, key=shown.actor.key, type=CredentialType.SESSION, expires_at=expires_at)
        self._credentials[token] = session
        return self._granted(token)

    async def close_session(self, token: bytes) -> None:
        self.check_open()
        found = self._credentials.get(token)
        if found is not None and found.type is CredentialType.SESSION:
            del self._credentials[token]

    async def touch(self, used: Mapping[int, datetime]) -> None:
        self.check_open()
        for id, at in used.items():
            if (key := self._keys.get(id)) is not None:
                self._keys[id] = evolve(key, last_used_at=max(at, key.last_used_at or at))

    def _granted(self, hash: bytes | None) -> Grant | None:
        found = None if hash is None else self._credentials.get(hash)
        if found is None or (found.expires_at is not None and found.expires_at <= self.clock()):
            return None
        key = self._keys[found.key]
        actor = Actor(key.id, key.name)
        return Grant(scope=key.scope, actor=actor, type=found.type, expires_at=found.expires_at)

    def _apply(self, change: KeyChange, at: datetime) -> None:
        key = change.key
        self._keys[key.id] = key
        if (until := change.others_until) is not None:
            others = [each for each in self._credentials.values() if each.key == key.id]
            for each in others:
                self._credentials[each.hash] = evolve(each, expires_at=min(each.expires_at or until, until))
                if until <= at:  # also if the clock is set back later
                    del self._credentials[each.hash]
        if change.hash is not None:
            self._credentials[change.hash] = Credential(
                hash=change.hash, key=key.id, type=CredentialType.KEY, expires_at=key.expires_at
            )
        for id in change.dropped:
            del self._keys[id]
        self._credentials = {hash: each for hash, each in self._credentials.items() if each.key in self._keys}

    def purge(self, at: datetime) -> None:
        """Purge the credentials that had expired at a time."""
        gone = [each.hash for each in self._credentials.values() if each.expires_at and each.expires_at <= at]
        for hash in gone:
            del self._credentials[hash]

    def _make_room(self, key: int) -> None:
        sessions = [
            each for each in self._credentials.values() if each.key == key and each.type is CredentialType.SESSION
        ]
        for each in sessions[: max(0, len(sessions) - MAX_SESSIONS + 1)]:
            del self._credentials[each.hash]
