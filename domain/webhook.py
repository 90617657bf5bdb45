"""A webhook: an address that is told of changes. Its secret is no part of it, so that no document can hold it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from attrs import field, frozen

from domain.commands import ANY_VERSION, Precondition
from domain.entity_type import MAX_ID, Entity, EntityType, read_only, writable
from domain.errors import Violation
from domain.field_types import Boolean, Integer, ListOf, String, Timestamp, Url
from domain.public_types import CHANGE_TYPES
from domain.state import State

ROTATION = timedelta(hours=24)
"""How long a secret that was replaced still signs, beside the one that replaced it."""


@frozen(kw_only=True)
class Webhook(Entity):
    """An address that is told of changes of some `types`, or of all where there are none.

    `disabled_reason` is why the service disabled it, and None where its owner did or where it is enabled. Secrets are
    numbered from 1; `secret_version` is the one in force, `rotated_at` when it took over from the one before.
    """

    url: str = writable(Url(), searched=True)
    types: tuple[str, ...] = writable(ListOf(CHANGE_TYPES), default=(), listed=False)
    enabled: bool = writable(Boolean(), default=True)
    description: str = writable(String(0, 200, lines=True), default="", listed=False, searched=True)
    disabled_reason: str | None = read_only(String(1, 500), default=None, listed=False)
    secret_version: int = read_only(Integer(1, MAX_ID), listed=False)
    rotated_at: datetime | None = read_only(Timestamp(), default=None, listed=False)

    def rotate(self, *, at: datetime) -> Self:
        """Return the webhook with the next secret in force; the one before goes on signing for `ROTATION`."""
        return self._next(at, {"secret_version": self.secret_version + 1, "rotated_at": max(at, self.updated_at)})

    def disable(self, reason: str, *, at: datetime) -> Self:
        """Return the webhook as nothing is delivered to it any more, for a reason; one that is disabled stays so."""
        return self._next(at, {"enabled": False, "disabled_reason": reason}) if self.enabled else self

    def signing_secrets(self, at: datetime) -> tuple[int, ...]:
        """Return the numbers of the secrets that sign at a time, the one in force first."""
        if self.rotated_at is None or at >= self.rotated_at + ROTATION:
            return (self.secret_version,)
        return self.secret_version, self.secret_version - 1

    @classmethod
    def derive(cls, values: Mapping[str, Any], before: "Webhook | None", at: datetime) -> Mapping[str, Any]:
        """Number the first secret, and forget why it was disabled once it is enabled."""
        del at
        first: dict[str, Any] = {"secret_version": 1} if before is None else {}
        return {**first, "disabled_reason": None} if values.get("enabled") else first

    def contradictions(self) -> Iterator[Violation]:
        """Yield what does not go together."""
        yield from Entity.contradictions(self)
        if self.enabled and self.disabled_reason is not None:
            reason = "must not be there while the webhook is enabled"
            yield Violation(field="disabled_reason", code="contradiction", reason=reason)


WEBHOOK = EntityType(Webhook, name="webhook", collection="webhooks", subscribes=True)


@frozen(kw_only=True)
class Rotate:
    """Put the next secret in force; the one before goes on signing for a day."""

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
    """Stop all deliveries for a reason, unless that is already so."""

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
    """Leave a webhook as it is; refused where there is none. What is submitted along with it takes effect."""

    id: int

    entity_type: EntityType[Webhook] = field(default=WEBHOOK, init=False)
    needs_deleted: bool = field(default=False, init=False)

    def decide(self, current: State, at: datetime) -> Webhook:
        return current.living(WEBHOOK, self.id)
