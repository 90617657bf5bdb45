"""A to-do by the rules of Todo-Backend (todobackend.com), which is another view of a task.

A task has no field for the order of a to-do. So the order is the last line of its notes, such as `order: 523`: it needs
no table and no second write, is in the log and in the history, and people can see and change it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from attrs import field

from domain.commands import Create
from domain.entity_type import EntityType, Field
from domain.field_types import Boolean, Integer
from domain.parsing import parse_fields
from domain.state import State
from domain.task import TASK, Status, Task
from domain.value_object import value_object

MAX_ORDER = 2**53 - 1
"""The largest order, and below zero the smallest: JavaScript knows no other whole numbers exactly."""

FIELDS = (
    Field(name="title", field_type=TASK.by_name["title"].field_type, required=True),
    Field(name="completed", field_type=Boolean(), default=False),
    Field(name="order", field_type=Integer(-MAX_ORDER, MAX_ORDER), nullable=True),
)

_COMPLETED = (Status.DONE, Status.CANCELLED)
_ORDER = re.compile(r"(?:\A|\n)order: (-?[0-9]{1,16})\Z")


@value_object(kw_only=True)
class Todo:
    """A task as a to-do. It is completed if nothing is left to be done, so also if the task was cancelled."""

    id: int
    title: str
    completed: bool
    order: int | None

    @classmethod
    def of(cls, task: Task) -> Self:
        """Return the to-do of a task."""
        return cls(id=task.id, title=task.title, completed=task.status in _COMPLETED, order=order_in(task.notes))


def order_in(notes: str) -> int | None:
    """Return the order that notes have, or None."""
    found = _ORDER.search(notes)
    order = None if found is None else int(found[1])
    return order if order is None or abs(order) <= MAX_ORDER else None


def with_order(notes: str, order: int | None) -> str:
    """Return notes with another order, or without one."""
    others = _ORDER.sub("", notes)
    line = "" if order is None else f"order: {order}"
    return f"{others}\n{line}" if others and line else others + line


def create_todo(raw: Mapping[str, object]) -> Create[Task]:
    """Return the command that makes the task of a to-do. Raises `ValidationFailed` with all violations."""
    values = parse_fields(_without_url(raw), FIELDS)
    status = Status.DONE if values["completed"] else Status.PENDING
    notes = with_order("", values["order"])
    return Create(entity_type=TASK, values={"title": values["title"], "status": status, "notes": notes})


@value_object(kw_only=True)
class EditTodo:
    """Set what the caller sent of a to-do. A status that says the same as `completed` stays, as do the other notes."""

    id: int
    values: Mapping[str, Any]

    entity_type: EntityType[Task] = field(default=TASK, init=False)
    needs_deleted: bool = field(default=False, init=False)

    @classmethod
    def parse(cls, id: int, raw: Mapping[str, object]) -> Self:
        """Read a JSON object in which every field is optional. Raises `ValidationFailed` with all violations."""
        sent = _without_url(raw)
        values = parse_fields({"title": "kept", **sent}, FIELDS)
        return cls(id=id, values={name: values[name] for name in sent})

    def decide(self, current: State, at: datetime) -> Task:
        task = current.living(TASK, self.id)
        return task.apply(self._changes(task), at=at)

    def _changes(self, task: Task) -> dict[str, object]:
        changes = {name: value for name, value in self.values.items() if name == "title"}
        completed = self.values.get("completed")
        if completed is not None and completed is not (task.status in _COMPLETED):
            changes["status"] = Status.DONE if completed else Status.PENDING
        if "order" in self.values:
            changes["notes"] = with_order(task.notes, self.values["order"])
        return changes


def _without_url(raw: Mapping[str, object]) -> dict[str, object]:
    """Return a to-do without its URL, which clients may send back."""
    return {name: value for name, value in raw.items() if name != "url"}
