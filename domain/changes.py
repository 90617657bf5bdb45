"""Changes of entities, as the log holds them."""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Generic, NewType, Protocol

from domain.access.access_key import Actor
from domain.entity_type import E, E_co, Entity, EntityType
from domain.stored_entity import StoredEntity
from domain.trace import TraceContext
from domain.value_object import value_object

Cursor = NewType("Cursor", str)
"""A position in the log, between two changes: opaque, and bound to the log that gave it."""

_CURSOR = re.compile(r"([0-9A-Za-z]{1,32})-[0-9.-]+", re.ASCII)


def log_of(cursor: Cursor) -> str:
    """Return the name of the log that may have given a cursor; empty for a text that no log gives."""
    parts = _CURSOR.fullmatch(cursor)
    return "" if parts is None else parts[1]


class Action(Enum):
    """The action of a change."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"

    __hash__ = object.__hash__  # a member is equal to itself alone; an enumeration's own is slow


@value_object(kw_only=True)
class Change(Generic[E_co]):
    """One change of one entity, as the log keeps it; `record` is the entity after it, or as it was deleted.

    `reason` is the caller's reason, if the command takes one.
    """

    entity_type: EntityType[E_co]
    action: Action
    record: StoredEntity
    changed: tuple[str, ...]  # the writable fields that differ from before
    at: datetime
    request_id: str
    reason: str | None = None
    actor: Actor | None = None  # where no key was used
    trace: TraceContext | None = None  # of the request, if it had one

    @property
    def id(self) -> int:
        """Name the entity."""
        return self.record.id

    @property
    def version(self) -> int:
        """Return the version that the change made."""
        return self.record.version

    @property
    def type(self) -> str:
        """Name the change as subscribers know it, such as task.created."""
        return f"{self.entity_type.name}.{self.action.value}"


@value_object(kw_only=True)
class Entry:
    """A change at its position in the log; a read after `cursor` gives the next change."""

    cursor: Cursor
    change: Change[Entity]


class Changed(Protocol):
    """The facts of a change that tell which fields changed."""

    @property
    def version(self) -> int: ...
    @property
    def changed(self) -> tuple[str, ...]: ...


def differing(before: E, after: E) -> tuple[str, ...]:
    """Name the writable fields in which two states of an entity differ."""
    was, now = vars(before), vars(after)
    return tuple([name for name in after.entity_type.writable_names if was[name] != now[name]])


def changed_since(
    entity_type: EntityType[Entity], kept: Iterable[Changed], version: int, *, now: int
) -> tuple[str, ...]:
    """Name the writable fields that changed between two versions of an entity, from its `kept` changes.

    If the log no longer holds every change between them, any field may have changed, so all are named.
    """
    between = range(version + 1, now + 1)  # and not what came behind that, as from commands later in a batch
    later = {change.version: change.changed for change in kept if change.version in between}
    if any(each not in later for each in between):
        return entity_type.writable_names
    names = {name for changed in later.values() for name in changed}
    return tuple(name for name in entity_type.writable_names if name in names)
