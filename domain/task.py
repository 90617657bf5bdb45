"""A task: something to be done."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Self

from attrs import frozen

from domain.entity_type import Entity, EntityType, read_only, writable
from domain.errors import Violation
from domain.field_types import Date, EnumField, String, Timestamp


class Status(Enum):
    """The status of a task, in the order of sorting."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class Priority(Enum):
    """The priority of a task, in the order of sorting."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@frozen(kw_only=True, slots=False)
class Task(Entity):
    """Something to be done. `completed_at` is the time at which its status became done, or None."""

    title: str = writable(String(1, 200), searched=True)
    status: Status = writable(EnumField(Status), default=Status.PENDING)
    priority: Priority = writable(EnumField(Priority), default=Priority.NORMAL)
    due: date | None = writable(Date(), default=None)
    notes: str = writable(String(0, 10_000, lines=True), default="", listed=False, searched=True)
    completed_at: datetime | None = read_only(
        Timestamp(), default=None, meaning="When the status became done; null while it is another."
    )

    def start(self, *, at: datetime) -> Self:
        """Return the task in progress."""
        return self.edit(at=at, status=Status.IN_PROGRESS)

    def complete(self, *, at: datetime) -> Self:
        """Return the completed task. A task that is done already stays the same, with its earlier time."""
        return self.edit(at=at, status=Status.DONE)

    def cancel(self, *, at: datetime) -> Self:
        """Return the cancelled task."""
        return self.edit(at=at, status=Status.CANCELLED)

    def reopen(self, *, at: datetime) -> Self:
        """Return the task as pending again."""
        return self.edit(at=at, status=Status.PENDING)

    @classmethod
    def derive(cls, values: Mapping[str, object], before: Self | None, at: datetime) -> Mapping[str, object]:
        """Set when the task was completed: `at`, if its status becomes done now."""
        was = before.status if before else None
        now = values.get("status", was)
        if now is was:
            return {}
        return {"completed_at": at if now is Status.DONE else None}

    def contradictions(self) -> Iterator[Violation]:
        """Yield the violations of rules that span several fields."""
        yield from Entity.contradictions(self)
        if (self.status is Status.DONE) is (self.completed_at is None):
            reason = "must be there when the status is done, and only then"
            yield Violation(field="completed_at", code="contradiction", reason=reason)


TASK = EntityType(
    Task,
    name="task",
    collection="tasks",
    meaning="Things to be done, with a status, a priority and a date on which they are due.",
    example={"title": "Buy milk", "due": "2026-12-31"},
    example_edit={"status": "done"},
)
