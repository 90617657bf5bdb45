"""Entity types of a possible later version: tasks with more fields."""

from typing import Any

from attrs import frozen

from adapters.serialization.entities import JsonSerializer
from domain.entity_type import EntityType, writable
from domain.field_types import Integer, String
from domain.registry import ENTITY_TYPES
from domain.task import TASK, Task


@frozen(kw_only=True, slots=False)
class LaterTask(Task):
    """A task with a sorted and searched place, and a number of hours that is neither."""

    place: str = writable(String(1, 50), default="Büro", searched=True)
    hours: int | None = writable(Integer(0, 100), default=None, listed=False)


LATER_TASK = EntityType(LaterTask, name="task", collection="tasks")
LATER_TYPES: tuple[EntityType[Any], ...] = (LATER_TASK, *(each for each in ENTITY_TYPES if each is not TASK))
LATER_SERIALIZER = JsonSerializer(LATER_TYPES)


def read_later(document: str) -> LaterTask:
    """Return the task of a document."""
    return LATER_SERIALIZER.read(LATER_TASK, document)
