"""A webhook: an address that gets changes. Its secret is no part of it, so no document can hold the secret."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Self

from attrs import field, frozen

from domain.commands import ANY_VERSION, Precondition
from domain.entity_type import MAX_ID, Entity, EntityType, read_only, writable
from domain.errors import Violation
from domain.field_types import Boolean, Integer, ListOf, String, Timestamp, Url
from domain.public_types import CHANGE_TYPES
from domain.state import State

ROTATION = timedelta(hours=24)
"""How long a replaced secret still signs, beside its successor."""


@frozen(kw_only=True, slots=False)
class Webhook(Entity):
    """An address that gets changes of some `types`, or of all types if the list is empty.

    `disabled_reason` tells why the service disabled it; it is None if its owner did, or if it is enabled. Secrets are
    numbered from 1; `secret_version` is the current one, and `rotated_at` is the time when it replaced the last one.
    """

    url: str = writable(Url(), searched=True)
    types: tuple[str, ...] = writable(ListOf(CHANGE_TYPES), default=(), listed=False)
    enabled: bool = writable(Boolean(), default=True)
    description: str = writable(String(0, 200, lines=True), default="", listed=False, searched=True)
    disabled_reason: str | None = read_only(String(1, 500), default=None, listed=False)
    secret_version: int = read_only(Integer(1, MAX_ID), listed=False)
    rotated_at: datetime | None = read_only(Timestamp(), default=None, listed=False)

    def rotate(self, *, at: datetime) -> Self:
        """Return the webhook with its next secret; the one before still signs for `ROTATION`."""
        return self._next(at, {"secret_version": self.secret_version + 1, "rotated_at": max(at, self.updated_at)})

    def disable(self, reason: str, *, at: datetime) -> Self:
        """Return the webhook disabled for a reason; a disabled one stays as it is."""
        return self._next(at, {"enabled": False, "disabled_reason": reason}) if self.enabled else self

    def signing_secrets(self, at: datetime) -> tuple[int, ...]:
        """Return the numbers of the secrets that sign at a time, the current one first."""
        if self.rotated_at is None or at >= self.rotated_at + ROTATION:
            return (self.secret_version,)
        return self.secret_version, self.secret_version - 1

    @classmethod
    def derive(cls, values: Mapping[str, object], before: Self | None, at: datetime) -> Mapping[str, object]:
        """Number the first secret, and clear `disabled_reason` when it is enabled."""
        del at
        first: dict[str, object] = {"secret_version": 1} if before is None else {}
        return {**first, "disabled_reason": None} if values.get("enabled") else first

    def contradictions(self) -> Iterator[Violation]:
        """Yield the violations of rules that span several fields."""
        yield from Entity.contradictions(self)
        if self.enabled and self.disabled_reason is not None:
            reason = "must not be there while the webhook is enabled"
            yield Violation(field="disabled_reason", code="contradiction", reason=reason)


WEBHOOK = EntityType(
    Webhook,
    name="webhook",
    collection="webhooks",
    subscribes=True,
    meaning="Addresses that get every change, in order, signed, at least once.",
    example={"url": "https://shop.example/changes", "types": ["task.created", "product.updated"]},
    example_edit={"enabled": False},
)


@frozen(kw_only=True)
class Rotate:
    """Rotate the secret; the one before still signs for a day."""

    id: int
    precondition: Precondition = ANY_VERSION

    entity_type: EntityType[Webhook] = field(default=WEBHOOK, init=False)
    needs_deleted: bool = field(default=False, init=False)

    def decide(self, current: State, at: datetime) -> Webhook:
        webhook = current.living(WEBHOOK, self.id)
        self.precondition.check(webhook)
        return webhook.rotate(at=at)


@frozen(kw_only=True)
class Disable:
    """Disable a webhook for a reason, unless it is disabled already."""

    id: int
    reason: str
    precondition: Precondition = ANY_VERSION

    entity_type: EntityType[Webhook] = field(default=WEBHOOK, init=False)
    needs_deleted: bool = field(default=False, init=False)

    def decide(self, current: State, at: datetime) -> Webhook:
        webhook = current.living(WEBHOOK, self.id)
        self.precondition.check(webhook)
        return webhook.disable(self.reason, at=at)


@frozen(kw_only=True)
class RequireExists:
    """Require that a webhook exists, and leave it as it is. The rest of its batch then takes effect."""

    id: int

    entity_type: EntityType[Webhook] = field(default=WEBHOOK, init=False)
    needs_deleted: bool = field(default=False, init=False)

    def decide(self, current: State, at: datetime) -> Webhook:
        return current.living(WEBHOOK, self.id)
