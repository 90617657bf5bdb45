"""Values that tests start from: valid documents, entities, and a clock that stands still until it is told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import define

from adapters.serialization.entities import JsonSerializer
from domain.changes import Action, Change
from domain.commands import Create
from domain.decisions import CommandBatch
from domain.entity_type import EntityType
from domain.product import PRODUCT, Product
from domain.registry import ENTITY_TYPES
from domain.stored_entity import StoredEntity
from domain.task import TASK, Status, Task
from domain.trace import TraceContext
from domain.webhook import WEBHOOK, Webhook

SERIALIZER = JsonSerializer(ENTITY_TYPES)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
TRACE = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "01", "rojo=1,congo=t61rcWkgMzE")

REQUIRED: dict[EntityType[Any], dict[str, object]] = {
    TASK: {"title": "Sweep the floor"},
    PRODUCT: {"name": "Widget A", "price": Decimal("9.99")},
    WEBHOOK: {"url": "https://example.com/hook"},
}


@define
class Clock:
    """A clock that a test turns by hand."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


class Broken:
    """A command whose decision fails for no good reason."""

    entity_type = TASK
    id = None
    needs_deleted = False

    def decide(self, current: Any, at: datetime) -> Any:
        """Fail."""
        raise RuntimeError("a fault in a decision")


def task(**fields: Any) -> Task:
    """Return a task, by default the first version of task 1; one that is done was so at once."""
    standard = {"id": 1, "version": 1, "created_at": NOON, "updated_at": NOON, "title": "Sweep the floor"}
    completed_at = NOON if fields.get("status") is Status.DONE else None
    return Task(**{**standard, "completed_at": completed_at, **fields})


def product(**fields: Any) -> Product:
    """Return a product, by default the first version of product 1."""
    standard = {"id": 1, "version": 1, "created_at": NOON, "updated_at": NOON}
    return Product(**{**standard, "name": "Widget A", "price": Decimal("9.99"), **fields})


def webhook(**fields: Any) -> Webhook:
    """Return a webhook, by default the first version of webhook 1."""
    standard = {"id": 1, "version": 1, "created_at": NOON, "updated_at": NOON, "secret_version": 1}
    return Webhook(**{**standard, "url": "https://example.com/hook", **fields})


def create(entity_type: EntityType[Any], **raw: object) -> Create[Any]:
    """Return a command that makes an entity of `raw` and whatever else is required."""
    return Create.parse(entity_type, {**REQUIRED[entity_type], **raw})


def batch(*commands: Any, **facts: Any) -> CommandBatch:
    """Return a batch of these commands."""
    return CommandBatch(**{"commands": commands, "request_id": "r-1", **facts})


def record(entity_type: EntityType[Any], entity: Any) -> StoredEntity:
    """Return an entity as stores hand it out."""
    return StoredEntity(entity.id, entity.version, SERIALIZER.write(entity))


def recorded(entity_type: EntityType[Any], record: StoredEntity) -> Any:
    """Return the entity of a record, which names the id and the version of its document."""
    entity = SERIALIZER.read(entity_type, record.document)
    assert (entity.id, entity.version) == (record.id, record.version)
    return entity


def change_of(entity: Task, at: datetime = NOON) -> Change[Task]:
    """Return the change that made a task."""
    return Change(
        entity_type=TASK,
        action=Action.CREATED,
        record=record(TASK, entity),
        changed=TASK.writable_names,
        at=at,
        request_id="r-1",
    )
