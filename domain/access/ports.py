"""What is needed of a store to let callers in. A docstring here is a contract; one suite tests it on every store."""

from abc import abstractmethod
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Protocol

from domain.access.access_key import AccessKey, Grant
from domain.access.key_ring import KeyDecision


class AccessKeys(Protocol):
    """Keeps keys and what stands for them. All of these raise `Unavailable`, those that write `StorageFull` too."""

    @abstractmethod
    def look_up(self, hash: bytes | None) -> Awaitable[Grant | None]:
        """Begin at once to look for the credential with a hash, and return what waits for the answer.

        It is what the credential grants now, `OPEN` if there never was a key, and otherwise None. What was committed
        before the question counts, whichever process did it.
        """

    @abstractmethod
    async def keys(self) -> tuple[AccessKey, ...]:
        """Return all keys by ascending id, also those that are valid no more."""

    @abstractmethod
    async def change(self, decision: KeyDecision, *, dry_run: bool = False) -> AccessKey:
        """Take a decision on all keys and make it last, or only take it; return the key that it left.

        Decisions are taken one after another. Raises what the decision raises; nothing has changed then.
        """

    @abstractmethod
    async def open_session(self, token: bytes, by: bytes) -> Grant | None:
        """Let the hash of a token stand for the key that the hash `by` of its secret stands for, for `SESSION_LASTS`.

        Not for longer than that secret does. Returns what the token grants, or None where `by` is no valid key.
        """

    @abstractmethod
    async def close_session(self, token: bytes) -> None:
        """Forget the hash of a token. Does nothing where there is none."""

    @abstractmethod
    async def touch(self, used: Mapping[int, datetime]) -> None:
        """Note when keys were used last; a time never moves back."""
