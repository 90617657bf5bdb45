"""Applying command batches inside one transaction of the writer."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any

import apsw

from adapters.serialization.outcomes import read_outcome, write_outcome
from adapters.sqlite import deliveries
from adapters.sqlite.conditions import same_value, where
from adapters.sqlite.connections import fetch
from adapters.sqlite.log import Log
from adapters.sqlite.table_mapping import Searched, TableMapping, microseconds
from domain.changes import Change
from domain.decisions import (
    CommandBatch,
    IdempotencyKey,
    Outcome,
    Replay,
    decide,
    explained,
    kept,
    named,
    recorded,
    unexplained,
    values_to_own,
)
from domain.entity_type import Deleted, Entity, EntityType
from domain.errors import KeyReused
from domain.ports import OUTCOMES_KEPT
from domain.state import Current, Ref, State, UniqueValue
from domain.stored_entity import Serializer, StoredEntity
from domain.upsert import upserted

_REPLACE_OUTCOME = "REPLACE INTO receipts (caller, name, fingerprint, receipt, expires_at) VALUES (?, ?, ?, ?, ?)"


class Transaction:
    """State between BEGIN and COMMIT: the counters, and the rows that are written once for all batches."""

    def __init__(
        self, connection: apsw.Connection, log: Log, rows: Mapping[str, TableMapping], documents: Serializer
    ) -> None:
        self._connection = connection
        self._log = log
        self._rows = rows
        self._documents = documents
        self._newest = log.head(connection)
        self._last_ids: dict[str, int] = dict(fetch(connection, "SELECT kind, last_id FROM collections"))
        self._revisions: dict[str, int] = {}  # of the entity types that were written
        self._searched: dict[str, list[Searched]] = {}
        self._unlogged: list[Change[Any]] = []  # changes not yet in the log
        self._outcomes: dict[tuple[str, str], tuple[bytes, bytes, int]] = {}

    def apply(self, batch: CommandBatch, at: datetime) -> Outcome | Replay:
        """Decide a command batch and write the result. Raises `KeyReused` and `BadCursor`, with nothing written."""
        key = batch.key
        if key is not None and (replay := self._replay(key, at)) is not None:
            return replay
        if batch.lease is not None and not deliveries.is_held(self._connection, batch.lease):
            return Outcome(results=(), request_id=batch.request_id)
        start = None if batch.follow is None else self._log.number(self._connection, batch.follow)
        last_ids: dict[str, int] = {}
        state = self._state(batch, last_ids)
        decision = decide(batch, state, at)
        decision = explained(decision, {each: self._kept(*each) for each in unexplained(decision)})
        outcome, changes = recorded(decision, batch, at, self._documents)
        if batch.dry_run:
            return outcome
        self._number(changes, last_ids)
        self._write(state, decision.final, changes, start)
        if batch.deliveries and outcome.failed is None:
            put = deliveries.queue if batch.lease is None else deliveries.put
            put(self._connection, batch.deliveries)
        if key is not None and (remembered := kept(outcome, batch)) is not None:
            self._outcomes[key.caller, key.name] = (
                key.fingerprint,
                write_outcome(remembered),
                microseconds(at + OUTCOMES_KEPT),
            )
        return outcome

    def finish(self) -> None:
        """Write the collected rows and the counters."""
        self._log_changes()
        rows = [(caller, name, *kept) for (caller, name), kept in self._outcomes.items()]
        self._connection.executemany(_REPLACE_OUTCOME, rows)
        for entity_type, searched in self._searched.items():
            self._rows[entity_type].reindex(self._connection, searched)
        if not self._revisions:
            return
        self._connection.execute("UPDATE log SET newest = ?", (self._newest,))
        for entity_type, revision in self._revisions.items():
            self._connection.execute(
                "REPLACE INTO collections VALUES (?, ?, ?)", (entity_type, self._last_ids.get(entity_type, 0), revision)
            )

    def _log_changes(self) -> None:
        first = self._newest - len(self._unlogged) + 1
        self._log.append(self._connection, first, self._unlogged)
        self._unlogged.clear()

    def _replay(self, key: IdempotencyKey, at: datetime) -> Replay | None:
        kept = self._outcomes.get((key.caller, key.name)) or self._stored_outcome(key, at)
        if kept is None:
            return None
        fingerprint, outcome, _ = kept
        if fingerprint != key.fingerprint:
            raise KeyReused
        return Replay(outcome=read_outcome(outcome))

    def _stored_outcome(self, key: IdempotencyKey, at: datetime) -> tuple[Any, ...] | None:
        found = fetch(
            self._connection,
            "SELECT fingerprint, receipt, expires_at FROM receipts WHERE caller = ? AND name = ? AND expires_at > ?",
            (key.caller, key.name, microseconds(at)),
        )
        return found[0] if found else None

    def _next_id(self, last_ids: dict[str, int], entity_type: EntityType[Any]) -> int:
        last_ids[entity_type.name] = last_ids.get(entity_type.name, self._last_ids.get(entity_type.name, 0)) + 1
        return last_ids[entity_type.name]

    def _state(self, batch: CommandBatch, last_ids: dict[str, int]) -> State:
        current = {ref: self._current(ref, each) for ref, each in named(batch.commands).items()}
        values = values_to_own(batch.commands, current)
        owners = self._owners(values) if values else {}
        if owners:
            also = upserted(batch.commands, owners) - current.keys()
            current |= {ref: self._current(ref, False) for ref in also}
        return State(current=current, owners=owners, new_id=lambda entity_type: self._next_id(last_ids, entity_type))

    def _current(self, ref: Ref, needs_deleted: bool) -> Current:
        entity_type, id = ref
        found = fetch(self._connection, self._rows[entity_type.name].get, (id,))
        if found:
            entity: Entity = self._documents.read(entity_type, found[0][1])
            return entity
        if not needs_deleted:
            return None
        self._log_changes()
        last = self._log.last(self._connection, entity_type.name, id)
        return None if last is None else Deleted(self._documents.read(entity_type, last.record.document))

    def _owners(self, wanted: Set[UniqueValue]) -> dict[UniqueValue, int]:
        owners: dict[UniqueValue, int] = {}
        for entity_type, name, value in wanted:
            rows = self._rows[entity_type.name]
            field = entity_type.by_name[name]
            condition, values = where(tuple(same_value(rows, field, (value,))))
            found = fetch(self._connection, f"SELECT id FROM {rows.table}{condition}", values)
            if found:
                owners[entity_type, name, value] = found[0][0]
        return owners

    def _kept(self, ref: Ref, version: int) -> list[Change[Any]]:
        entity_type, id = ref
        self._log_changes()
        return [entry.change for entry in self._log.history(self._connection, entity_type.name, id, version, -1)]

    def _number(self, changes: Sequence[Change[Any]], last_ids: Mapping[str, int]) -> None:
        """Number changes; `finish` writes them to the log."""
        self._unlogged += changes
        for change in changes:
            self._newest += 1
            self._revisions[change.entity_type.name] = self._newest
        self._last_ids |= last_ids

    def _write(
        self,
        state: State,
        final: Mapping[Ref, Entity | Deleted[Any]],
        changes: Sequence[Change[Any]],
        start: int | None,
    ) -> None:
        latest = {(change.entity_type, change.id): change.record for change in changes}
        new: dict[str, list[tuple[StoredEntity, Any]]] = {}
        for ref, after in final.items():
            entity_type, id = ref
            before = state.current.get(ref)
            if isinstance(before, Entity) or isinstance(after, Deleted):
                self._leave(self._rows[entity_type.name], latest[ref], before, after)
            else:
                new.setdefault(entity_type.name, []).append((latest[ref], after))
            if entity_type.subscribes:
                deliveries.note(self._connection, id, after, self._newest if start is None else start)
        for name, entities in new.items():
            self._searched.setdefault(name, []).extend(self._rows[name].insert(self._connection, entities))

    def _leave(self, rows: TableMapping, record: StoredEntity, before: Any, after: Entity | Deleted[Any]) -> None:
        """Write the new state of an entity that may have a row."""
        searched: Searched | None = None
        if not isinstance(after, Deleted):
            searched = rows.update(self._connection, record, before, after)
        elif isinstance(before, Entity):
            searched = rows.delete(self._connection, record.id)
        if searched is not None:
            self._searched.setdefault(rows.entity_type.name, []).append(searched)
