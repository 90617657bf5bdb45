"""A plain model of a store, in dicts and lists: small, slow, and written independently of any store."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain.product import PRODUCT
from domain.task import TASK

Values = dict[str, Any]
IdempotencyKey = tuple[str, int]

DEFAULTS: dict[str, Values] = {
    each.name: {field.name: getattr(field.default, "value", field.default) for field in each.writable}
    for each in (TASK, PRODUCT)
}
"""A required field has no default, and every command gives it."""

SEARCHED = {each.name: tuple(field.name for field in each.searched) for each in (TASK, PRODUCT)}
CHOICES = ["pending", "in_progress", "done", "cancelled", "low", "normal", "high"]
MAX_STOCK = 2**31 - 1


class ValidationError(Exception):
    """A refused command; the first argument is the reason."""


class Model:
    """Living and deleted entities by type and id, and a log of all changes."""

    def __init__(self) -> None:
        self.living: dict[IdempotencyKey, Values] = {}
        self.gone: dict[IdempotencyKey, Values] = {}
        self.log: list[tuple[str, Values, tuple[str, ...], datetime]] = []
        self.last_id = {"task": 0, "product": 0}
        self.outcomes: dict[str, tuple[bytes, Any, datetime]] = {}

    def copy(self) -> "Model":
        """Return an independent copy."""
        other = Model()
        other.living, other.gone, other.log = dict(self.living), dict(self.gone), list(self.log)
        other.last_id, other.outcomes = dict(self.last_id), dict(self.outcomes)
        return other

    def create(self, entity_type: str, id: int, values: Values, at: datetime) -> Values:
        """Create an entity under an id that the store chose."""
        self.last_id[entity_type] = id
        new = {"id": id, "version": 1, "created_at": at, "updated_at": at, **DEFAULTS[entity_type], **values}
        if entity_type == "task":
            new["completed_at"] = at if new["status"] == "done" else None
        return self._put(entity_type, new, "created", tuple(DEFAULTS[entity_type]), at)

    def edit(self, entity_type: str, id: int, values: Values, version: int | None, at: datetime) -> Values:
        """Set some fields."""
        old = self._current(entity_type, id, version)
        changed = tuple(name for name in DEFAULTS[entity_type] if name in values and values[name] != old[name])
        if not changed:
            return old
        new = self._next(old, at) | {name: values[name] for name in changed}
        if "status" in changed:
            new["completed_at"] = new["updated_at"] if new["status"] == "done" else None
        return self._put(entity_type, new, "updated", changed, at)

    def delete(self, entity_type: str, id: int, version: int | None, at: datetime) -> Values:
        """Delete an entity."""
        old = self._next(self._current(entity_type, id, version), at)
        del self.living[entity_type, id]
        self.gone[entity_type, id] = old
        self.log.append((f"{entity_type}.deleted", old, (), at))
        return old

    def restore(self, entity_type: str, id: int, version: int | None, at: datetime) -> Values:
        """Restore an entity."""
        if (entity_type, id) in self.living:
            raise ValidationError("not_deleted")
        if (entity_type, id) not in self.gone:
            raise ValidationError("not_found")
        old = self.gone[entity_type, id]
        if version not in {None, old["version"]}:
            raise ValidationError("precondition_failed")
        back = self._put(entity_type, self._next(old, at), "restored", tuple(DEFAULTS[entity_type]), at)
        del self.gone[entity_type, id]
        return back

    def adjust(self, id: int, change: int, version: int | None, at: datetime) -> Values:
        """Add to a stock."""
        old = self._current("product", id, version)
        if old["stock"] is None:
            raise ValidationError("stock_not_tracked")
        stock = old["stock"] + change
        if stock < 0:
            raise ValidationError("insufficient_stock")
        if stock > MAX_STOCK:
            raise ValidationError("invalid")
        return self.edit("product", id, {"stock": stock}, None, at)

    def forget(self, before: datetime) -> int:
        """Purge old changes; return how many."""
        old = 0
        while old < len(self.log) and self.log[old][3] < before:
            old += 1
        self.log = self.log[old:]
        kept = {(type.split(".")[0], entity["id"]) for type, entity, _, _ in self.log}
        self.gone = {key: entity for key, entity in self.gone.items() if key in kept}
        return old

    def found(
        self, entity_type: str, holds: Callable[[Values], bool], search: str, order: Iterable[tuple[str, bool]]
    ) -> list[Values]:
        """Return the entities that match, in order."""
        entities = [
            entity for (each, _), entity in sorted(self.living.items()) if each == entity_type and holds(entity)
        ]
        entities = [each for each in entities if any(search in fold(each[name]) for name in SEARCHED[entity_type])]
        for name, descending in reversed(list(order)):
            full = [each for each in entities if each[name] is not None]
            full.sort(key=lambda each: sort_key(each[name]), reverse=descending)
            entities = full + [each for each in entities if each[name] is None]
        return entities

    def _current(self, entity_type: str, id: int, version: int | None) -> Values:
        if (entity_type, id) not in self.living:
            raise ValidationError("not_found")
        if version not in {None, self.living[entity_type, id]["version"]}:
            raise ValidationError("precondition_failed")
        return self.living[entity_type, id]

    def _next(self, old: Values, at: datetime) -> Values:
        return old | {"version": old["version"] + 1, "updated_at": max(at, old["updated_at"])}

    def _put(self, entity_type: str, new: Values, action: str, changed: tuple[str, ...], at: datetime) -> Values:
        sku = new.get("sku")
        for (other, id), entity in self.living.items():
            if other == entity_type == "product" and id != new["id"] and sku is not None and entity["sku"] == sku:
                raise ValidationError("already_exists")
        self.living[entity_type, new["id"]] = new
        self.log.append((f"{entity_type}.{action}", new, changed, at))
        return new


def fold(text: str | None) -> str:
    """Return the folded text for search and sorting; casefolding is enough for the texts of this test."""
    return (text or "").casefold()


def sort_key(value: str | int | Decimal | date) -> Any:
    """Return the sort key of a value."""
    if isinstance(value, str):
        return CHOICES.index(value) if value in CHOICES else fold(value)
    return value
