"""Making, rotating and revoking keys: pure decisions on all keys."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from attrs import evolve, field, frozen

from domain.access.access_key import AccessKey
from domain.access.errors import LastAdminKey, TooManyKeys
from domain.access.key_text import LAST_SHOWN, hash_of
from domain.access.scopes import AccessScope
from domain.entity_type import Field
from domain.errors import NotFound, ValidationFailed, Violation
from domain.field_types import EnumField, FieldType, String, Timestamp, ValidationError
from domain.parsing import parse_fields

MAX_KEYS = 1000
"""The most keys in a store. When it is full, the key that was revoked first makes room for a new one."""

MAX_SESSIONS = 100
"""The most sessions of a key at once; the oldest makes room for a new one."""

OVERLAP = timedelta(hours=24)
"""How long the old secret holds after a rotation, and at most."""

SESSION_LASTS = timedelta(days=30)


class Overlap(FieldType):
    """A duration such as 0s, 15m or 24h, which is also the longest."""

    UNITS: ClassVar = {"s": "seconds", "m": "minutes", "h": "hours"}

    def check(self, value: object) -> timedelta:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,6}[smh]", value):
            raise ValidationError("not_a_duration", "must be a duration such as 0s, 15m or 24h")
        overlap = timedelta(**{self.UNITS[value[-1]]: int(value[:-1])})
        if overlap > OVERLAP:
            raise ValidationError("out_of_range", "must be 24h at most")
        return overlap


FIELDS = (
    Field(name="name", field_type=String(1, 100), required=True),
    Field(name="scope", field_type=EnumField(AccessScope), required=True),
    Field(name="expires_at", field_type=Timestamp(), nullable=True),
)
ROTATION = (Field(name="overlap", field_type=Overlap(), nullable=True),)


@frozen(kw_only=True)
class KeyChange:
    """The result of a decision: the key, with a new secret if it has a `hash`.

    `others_until`, if given, is the new expiry of every credential that the key had before. If that is now, they are
    deleted at once, so no clock can revive them. `dropped` keys are deleted with their credentials.
    """

    key: AccessKey
    hash: bytes | None = field(default=None, repr=False)
    others_until: datetime | None = None
    dropped: tuple[int, ...] = ()


KeyDecision = Callable[[Sequence[AccessKey], datetime], KeyChange]
"""Decides on all keys, by ascending id, and the time. Raises `DomainError`."""


@frozen(kw_only=True)
class CreateKey:
    """Make a key with a secret."""

    name: str
    scope: AccessScope
    expires_at: datetime | None
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, raw: Mapping[str, object], secret: str) -> "CreateKey":
        """Check a raw document. Raises `ValidationFailed` with all violations."""
        return cls(**parse_fields(raw, FIELDS), secret=secret)

    def __call__(self, keys: Sequence[AccessKey], at: datetime) -> KeyChange:
        if self.expires_at is not None and self.expires_at <= at:
            raise _invalid("expires_at", "out_of_range", "must be in the future")
        key = AccessKey(
            id=1 + max((each.id for each in keys), default=0),
            name=self.name,
            scope=self.scope,
            last_four=self.secret[-LAST_SHOWN:],
            created_at=at,
            expires_at=self.expires_at,
        )
        return KeyChange(key=key, hash=hash_of(self.secret), dropped=_surplus(keys, at))


@frozen(kw_only=True)
class RotateKey:
    """Give a key a new secret. Its earlier credentials, sessions too, hold for an `overlap`."""

    id: int
    secret: str = field(repr=False)
    overlap: timedelta = OVERLAP

    @classmethod
    def parse(cls, id: int, raw: Mapping[str, object], secret: str) -> "RotateKey":
        """Check a raw document. Raises `ValidationFailed` with all violations."""
        overlap = parse_fields(raw, ROTATION)["overlap"]
        return cls(id=id, secret=secret, overlap=OVERLAP if overlap is None else overlap)

    def __call__(self, keys: Sequence[AccessKey], at: datetime) -> KeyChange:
        key = _known(keys, self.id)
        if not key.is_valid(at):
            raise NotFound(entity_type="key", id=self.id)
        after = evolve(key, last_four=self.secret[-LAST_SHOWN:])
        return KeyChange(key=after, hash=hash_of(self.secret), others_until=at + self.overlap)


@frozen(kw_only=True)
class RevokeKey:
    """End a key, with its sessions. The last admin key that is valid stays where it is `needed`."""

    id: int
    needed: bool = False

    def __call__(self, keys: Sequence[AccessKey], at: datetime) -> KeyChange:
        key = _known(keys, self.id)
        others = (each for each in keys if each is not key and each.scope is AccessScope.ADMIN and each.is_valid(at))
        if self.needed and key.scope is AccessScope.ADMIN and key.is_valid(at) and not any(others):
            raise LastAdminKey
        return KeyChange(key=evolve(key, revoked_at=key.revoked_at or at), others_until=at)


def _known(keys: Sequence[AccessKey], id: int) -> AccessKey:
    for each in keys:
        if each.id == id:
            return each
    raise NotFound(entity_type="key", id=id)


def _surplus(keys: Sequence[AccessKey], at: datetime) -> tuple[int, ...]:
    """Return the keys that make room for a new one. The newest never does, because its id must not be given again."""
    if len(keys) < MAX_KEYS:
        return ()
    useless = [each for each in keys[:-1] if not each.is_valid(at)]
    if not useless:
        raise TooManyKeys(most=MAX_KEYS)
    return (min(useless, key=lambda each: each.revoked_at or each.expires_at or at).id,)


def _invalid(name: str, code: str, reason: str) -> ValidationFailed:
    return ValidationFailed(violations=(Violation(field=name, code=code, reason=reason),))
