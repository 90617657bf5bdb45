"""The port of keys. A docstring here is a contract; one suite tests it on every store."""

from abc import abstractmethod
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Protocol

from domain.access.access_key import AccessKey, Grant
from domain.access.key_ring import KeyDecision


class AccessKeys(Protocol):
    """Keeps keys and their credentials. All methods raise `Unavailable`; those that write also raise `StorageFull`."""

    @abstractmethod
    def look_up(self, hash: bytes | None) -> Awaitable[Grant | None]:
        """Start at once to look for the credential with a hash, and return an awaitable of its grant.

        The grant is `OPEN` if there never was a key, and None for an unknown or expired credential. The answer covers
        everything that any process had committed before the call.
        """

    @abstractmethod
    async def keys(self) -> tuple[AccessKey, ...]:
        """Return all keys by ascending id, also revoked and expired ones."""

    @abstractmethod
    async def change(self, decision: KeyDecision, *, dry_run: bool = False) -> AccessKey:
        """Decide on all keys and store the result, unless it is a dry run; return the resulting key.

        Decisions run one after another. An error of the decision is raised, and changes nothing.
        """

    @abstractmethod
    async def open_session(self, token: bytes, by: bytes) -> Grant | None:
        """Store the hash of a token for the key whose secret has the hash `by`. It holds for `SESSION_LASTS`.

        It never holds for longer than that secret. Returns the grant of the token, or None if `by` is not valid.
        """

    @abstractmethod
    async def close_session(self, token: bytes) -> None:
        """Delete the hash of a token, if there is one."""

    @abstractmethod
    async def touch(self, used: Mapping[int, datetime]) -> None:
        """Store the last use of keys; a time never moves back."""
