"""Keys, the credentials that stand for them, and the grants of credentials."""

from datetime import datetime
from enum import Enum

from attrs import field, frozen

from domain.access.scopes import AccessScope


@frozen(kw_only=True)
class AccessKey:
    """A key as administrators see it: without its secret, of which only the last characters are kept.

    `last_used_at` may be up to a minute behind. A revoked key stays, because changes name it as their actor.
    """

    id: int
    name: str
    scope: AccessScope
    last_four: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, at: datetime) -> bool:
        """Tell whether it can be used."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class CredentialType(Enum):
    """The way in which a caller shows a key."""

    KEY = "key"  # the key itself
    SESSION = "session"  # the token of a browser that showed the key before


@frozen(kw_only=True)
class Credential:
    """A secret that stands for a key: its hash and its expiry."""

    hash: bytes = field(repr=False)
    key: int
    type: CredentialType
    expires_at: datetime | None


@frozen
class Actor:
    """The key that made a change, with the name that it had then."""

    key: int
    name: str


@frozen(kw_only=True)
class Grant:
    """What a caller may do, and by which key; there is none while the service is open."""

    scope: AccessScope
    actor: Actor | None = None
    type: CredentialType | None = None
    expires_at: datetime | None = None

    @property
    def caller(self) -> str:
        """Name the caller, to tell his idempotency keys from those of others."""
        return "" if self.actor is None else f"key-{self.actor.key}"


OPEN = Grant(scope=AccessScope.ADMIN)
"""The grant of every caller as long as there never was a key."""
