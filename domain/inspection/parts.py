"""What must hold in a store beside its entities and changes: facts, cursors, outcomes, webhooks, deliveries, keys."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, starmap

from domain.access.access_key import AccessKey, Credential, CredentialType
from domain.access.key_ring import FIELDS as KEY_FIELDS
from domain.access.key_text import LAST_SHOWN
from domain.calendar import FIELDS as CALENDAR_FIELDS
from domain.calendar import Calendar
from domain.changes import Cursor, log_of
from domain.deliveries import TEST, Delivery, DeliveryStatus
from domain.entity_type import Entity, EntityType, Field
from domain.field_types import ValidationError
from domain.inspection.entity_history import UNREADABLE
from domain.inspection.findings import Finding, Kind, shown
from domain.inspection.ports import LogFacts
from domain.snapshot import (
    AllCalendars,
    AllDeliveries,
    Credentials,
    FormerCursors,
    Keys,
    Part,
    Positions,
    StoredOutcome,
    StoredOutcomes,
)

SECRET_BYTES = 32
HASH_BYTES = 32

_NAME = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)


def check_log_facts(facts: LogFacts) -> Iterator[Finding]:
    """Yield what is wrong with the single facts."""
    known = facts.metadata
    if len(known.secret) != SECRET_BYTES:
        yield Finding(Kind.LOG, "the secret", f"has {len(known.secret)} bytes, and should have {SECRET_BYTES}")
    if not 0 <= known.forgotten <= facts.newest:
        what = f"has the newest change {facts.newest}, and the newest purged one {known.forgotten}"
        yield Finding(Kind.LOG, "the log", what)
    for name, newest in known.logs.items():
        if not _NAME.fullmatch(name):
            yield Finding(Kind.LOG, "the log", f"has the name {shown(name)}, which is not 1 to 32 letters and digits")
        if newest is not None and not 0 <= newest <= facts.newest:
            what = f"shares changes up to {newest} with its former name {shown(name)}, and ends with {facts.newest}"
            yield Finding(Kind.LOG, "the log", what)


class RestOfStore:
    """Checks the parts that follow the changes, in their order, against the facts and the current webhooks."""

    def __init__(
        self,
        facts: LogFacts,
        webhooks: Mapping[EntityType[Entity], set[int]],
        types: frozenset[str],
        read_outcome: Callable[[bytes], object],
    ) -> None:
        """`webhooks` are the ids of all entities that subscribe; `types` are what they can subscribe to."""
        self._facts = facts
        self._webhooks = webhooks
        self._types = types | {TEST}
        self._read_outcome = read_outcome
        self._positions: Mapping[int, int] = {}
        self._keys: set[int] = set()

    def check(self, part: Part) -> Iterable[Finding]:
        """Yield what is wrong with the next part."""
        match part:
            case FormerCursors(numbers=numbers):
                return chain.from_iterable(starmap(self._check_former, numbers.items()))
            case StoredOutcomes(outcomes=items):
                return chain.from_iterable(map(self._check_outcome, items))
            case Positions(numbers=numbers):
                self._positions = numbers
                return self._check_positions()
            case AllDeliveries(deliveries=items):
                return chain.from_iterable(map(self._check_delivery, items))
            case Keys(keys=items):
                return chain.from_iterable(map(self._check_key, items))
            case Credentials(credentials=items):
                return chain.from_iterable(map(self._check_credential, items))
            case AllCalendars(calendars=items):
                return chain.from_iterable(map(_check_calendar, items))
        return ()

    def _check_former(self, cursor: Cursor, number: int) -> Iterator[Finding]:
        where = f"the former cursor {shown(cursor)}"
        if log_of(cursor) not in self._facts.metadata.logs:
            yield Finding(Kind.CURSOR, where, "is of no log that this one ever was")
        if not 0 <= number <= self._facts.newest:
            yield Finding(Kind.CURSOR, where, f"is behind change {number}, and the log ends with {self._facts.newest}")

    def _check_outcome(self, outcome: StoredOutcome) -> Iterator[Finding]:
        try:
            self._read_outcome(outcome.outcome)
        except UNREADABLE as error:
            where = f"the outcome of the idempotency key {shown(outcome.name)} of the caller {shown(outcome.caller)}"
            yield Finding(Kind.OUTCOME, where, f"cannot be read: {error}")

    def _check_positions(self) -> Iterator[Finding]:
        for entity_type, ids in self._webhooks.items():
            for id in sorted(ids - self._positions.keys()):
                yield Finding(Kind.WEBHOOK, f"{entity_type.name} {id}", "has no position in the log")
        living = set().union(*self._webhooks.values())
        for id, number in self._positions.items():
            if id not in living:
                yield Finding(Kind.WEBHOOK, f"the position of webhook {id}", "is of no webhook that exists")
            if not 0 <= number <= self._facts.newest:
                what = f"has the position {number}, and the log ends with {self._facts.newest}"
                yield Finding(Kind.WEBHOOK, f"webhook {id}", what)

    def _check_delivery(self, delivery: Delivery) -> Iterator[Finding]:
        where = f"delivery {delivery.id}"
        if delivery.webhook not in self._positions:
            yield Finding(Kind.DELIVERY, where, f"is to webhook {delivery.webhook}, which does not exist")
        if delivery.type not in self._types:
            yield Finding(Kind.DELIVERY, where, f"has the unknown type {shown(delivery.type)}")
        if delivery.after is not None and log_of(delivery.after) not in self._facts.metadata.logs:
            yield Finding(Kind.DELIVERY, where, f"is of a change behind {shown(delivery.after)}, no cursor of this log")
        if delivery.status is not DeliveryStatus.PENDING and delivery.next_attempt_at is not None:
            yield Finding(Kind.DELIVERY, where, f"is {delivery.status.value}, and has a next attempt")

    def _check_key(self, key: AccessKey) -> Iterator[Finding]:
        self._keys.add(key.id)
        for field in KEY_FIELDS:
            yield from _check_rule(Kind.KEY, f"key {key.id}", field, getattr(key, field.name))
        if len(key.last_four) != LAST_SHOWN:
            what = f"has {shown(key.last_four)} as its last {LAST_SHOWN} characters"
            yield Finding(Kind.KEY, f"key {key.id}", what)

    def _check_credential(self, credential: Credential) -> Iterator[Finding]:
        where = f"a credential of key {credential.key}"
        if credential.key not in self._keys:
            yield Finding(Kind.KEY, where, "is of no key that exists")
        if len(credential.hash) != HASH_BYTES:
            yield Finding(Kind.KEY, where, f"has a hash of {len(credential.hash)} bytes, and should have {HASH_BYTES}")
        if credential.type is CredentialType.SESSION and credential.expires_at is None:
            yield Finding(Kind.KEY, where, "is a session, and never expires")


def _check_calendar(calendar: Calendar) -> Iterator[Finding]:
    """Check all but the filter, which only an earlier version may have understood."""
    where = f"calendar {calendar.id}"
    for field in CALENDAR_FIELDS:
        if field.name == "name":
            yield from _check_rule(Kind.CALENDAR, where, field, calendar.name)
    if calendar.hash is not None and len(calendar.hash) != HASH_BYTES:
        what = f"has a hash of {len(calendar.hash)} bytes, and should have {HASH_BYTES}"
        yield Finding(Kind.CALENDAR, where, what)


def _check_rule(kind: Kind, where: str, field: Field, value: object) -> Iterator[Finding]:
    try:
        field.check(value)
    except ValidationError as refused:
        yield Finding(kind, where, f"breaks a rule: {field.name} {refused.reason}")
