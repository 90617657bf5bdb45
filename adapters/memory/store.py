"""The store in memory. Entities are frozen, so callers cannot change stored ones."""

import asyncio
import secrets
from collections.abc import Callable, Set
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field, frozen

from adapters.memory.access_keys import MemoryAccessKeys
from adapters.memory.calendars import MemoryCalendars
from adapters.memory.deliveries import MemoryDeliveries
from adapters.memory.exporting import MemorySnapshot
from adapters.memory.pages import page_of
from adapters.serialization.outcomes import read_outcome, write_outcome
from domain.changes import Change, Cursor, Entry
from domain.cursor_codec import CursorCodec
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
from domain.errors import CursorExpired, KeyReused, Unavailable
from domain.measurements import Measurements
from domain.ports import OUTCOMES_KEPT, LogPage, Store
from domain.public_types import CHANGE_TYPES
from domain.queries import Page, Query
from domain.retention import Belief, advance
from domain.state import Current, Ref, State, UniqueValue
from domain.stored_entity import Serializer, StoredEntity, stored
from domain.upsert import upserted

PURGED_AT_ONCE = 1000


@frozen
class _StoredOutcome:
    fingerprint: bytes
    outcome: bytes
    expires_at: datetime


@define(eq=False)
class MemoryStore(Store):
    """Keeps everything in this process, until it ends.

    No method awaits between its first look and its last write, so each is atomic on the event loop.
    """

    clock: Callable[[], datetime]
    documents: Serializer

    _living: dict[Ref, Entity] = field(factory=dict, init=False)
    _log: list[Change[Any]] = field(factory=list, init=False)
    _forgotten: int = field(default=0, init=False)  # number of purged changes
    _ids: dict[EntityType[Any], int] = field(factory=dict, init=False)
    _revisions: dict[EntityType[Any], int] = field(factory=dict, init=False)
    _outcomes: dict[tuple[str, str], _StoredOutcome] = field(factory=dict, init=False)
    _cursor_codec: CursorCodec = field(factory=lambda: CursorCodec(secrets.token_hex(8)), init=False)
    _secret: bytes = field(factory=lambda: secrets.token_bytes(32), init=False)
    _changed: asyncio.Event = field(factory=asyncio.Event, init=False)
    _belief: Belief | None = field(default=None, init=False)
    _closed: bool = field(default=False, init=False)
    _deliveries: MemoryDeliveries = field(init=False)
    _access_keys: MemoryAccessKeys = field(init=False)
    _calendars: MemoryCalendars = field(init=False)

    @_deliveries.default
    def _make_deliveries(self) -> MemoryDeliveries:
        return MemoryDeliveries(self.clock, self._cursor_codec, lambda: self._newest, self._check_open)

    @_access_keys.default
    def _make_access_keys(self) -> MemoryAccessKeys:
        return MemoryAccessKeys(self.clock, self._check_open)

    @_calendars.default
    def _make_calendars(self) -> MemoryCalendars:
        return MemoryCalendars(self.clock, self._check_open)

    @property
    def deliveries(self) -> MemoryDeliveries:
        return self._deliveries

    @property
    def access_keys(self) -> MemoryAccessKeys:
        return self._access_keys

    @property
    def calendars(self) -> MemoryCalendars:
        return self._calendars

    @property
    def large_at_once(self) -> int:
        return 1

    async def get(self, entity_type: EntityType[Any], id: int) -> StoredEntity | None:
        self._check_open()
        entity = self._living.get((entity_type, id))
        return None if entity is None else stored(entity, self.documents)

    async def page(self, query: Query[Any]) -> Page:
        self._check_open()
        entities: Any = (
            entity for (entity_type, _), entity in self._living.items() if entity_type is query.entity_type
        )
        revision = self._cursor_codec.cursor(self._revisions.get(query.entity_type, 0))
        shown, following, total = page_of(query, entities)
        return Page(
            records=tuple(stored(entity, self.documents) for entity in shown),
            next=following,
            changes=self._cursor_codec.cursor(self._newest),
            revision=revision,
            total=total,
        )

    async def submit(self, batch: CommandBatch) -> Outcome | Replay:
        self._check_open()
        at = self.clock()
        if batch.key is not None and (replay := self._replay(batch.key, at)) is not None:
            return replay
        if batch.lease is not None and not self._deliveries.is_held(batch.lease):
            return Outcome(results=(), request_id=batch.request_id)
        start = None if batch.follow is None else self._cursor_codec.number(batch.follow)
        ids = dict(self._ids)
        decision = decide(batch, self._state(batch, ids), at)
        decision = explained(decision, {each: self._kept(*each[0]) for each in unexplained(decision)})
        outcome, changes = recorded(decision, batch, at, self.documents)
        if batch.dry_run:
            return outcome
        self._write(decision.final, changes, ids, start)
        if batch.deliveries and outcome.failed is None:
            put = self._deliveries.queue if batch.lease is None else self._deliveries.put
            put(batch.deliveries)
        if batch.key is not None and (remembered := kept(outcome, batch)) is not None:
            stored = _StoredOutcome(batch.key.fingerprint, write_outcome(remembered), at + OUTCOMES_KEPT)
            self._outcomes[batch.key.caller, batch.key.name] = stored
        return outcome

    async def read(self, after: Cursor | None, *, types: Set[str] = frozenset(), limit: int = 1000) -> LogPage:
        self._check_open()
        start = self._forgotten if after is None else self._number(after)
        entries: list[Entry] = []
        number = start
        for change in self._log[start - self._forgotten :]:
            number += 1
            if change.type in (types or CHANGE_TYPES):
                entries.append(Entry(cursor=self._cursor_codec.cursor(number), change=change))
                if len(entries) == limit:
                    break
        return LogPage(entries=tuple(entries), cursor=self._cursor_codec.cursor(number))

    async def head(self, *, before: int = 0) -> Cursor:
        self._check_open()
        return self._cursor_codec.cursor(max(self._forgotten, self._newest - before))

    async def oldest(self) -> Cursor:
        self._check_open()
        return self._cursor_codec.cursor(self._forgotten)

    async def history(
        self, entity_type: EntityType[Any], id: int, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        self._check_open()
        entries = (
            Entry(cursor=self._cursor_codec.cursor(number), change=change)
            for number, change in enumerate(self._log, self._forgotten + 1)
            if change.entity_type is entity_type and change.id == id and change.version > after
        )
        return tuple(entry for entry, _ in zip(entries, range(limit), strict=False))

    def snapshot(self) -> MemorySnapshot:
        """Return a reader of everything as it is now. Raises `Unavailable`."""
        self._check_open()
        entries = [
            Entry(cursor=self._cursor_codec.cursor(number), change=change)
            for number, change in enumerate(self._log, self._forgotten + 1)
        ]
        living = sorted(self._living.values(), key=lambda each: each.id)
        return MemorySnapshot(living, entries, self.documents)

    async def wait_for_changes(self, seen: Cursor) -> None:
        self._check_open()
        number = self._cursor_codec.number(seen)
        while number == self._newest and not self._closed:
            await self._changed.wait()
        self._check_open()

    async def believe(self, now: datetime, *, elapsed: timedelta) -> datetime:
        self._check_open()
        newest = self._log[-1].at if self._log else None
        self._belief = advance(self._belief, now=now, elapsed=elapsed, newest=newest)
        return self._belief.believed

    async def purge(self, at: datetime, *, changes_before: datetime, keep: Cursor | None = None) -> bool:
        self._check_open()
        old = [name for name, kept in self._outcomes.items() if kept.expires_at <= at]
        for name in old[:PURGED_AT_ONCE]:
            del self._outcomes[name]
        kept_from = self._newest if keep is None else self._cursor_codec.number(keep)
        forgettable = 0
        for change in self._log[: max(0, kept_from - self._forgotten)]:
            if change.at >= changes_before:
                break
            forgettable += 1
        del self._log[: min(forgettable, PURGED_AT_ONCE)]
        self._forgotten += min(forgettable, PURGED_AT_ONCE)
        self._access_keys.purge(at)
        more = self._deliveries.purge(changes_before, PURGED_AT_ONCE)
        return more or max(len(old), forgettable) > PURGED_AT_ONCE

    async def ping(self) -> None:
        self._check_open()

    async def measure(self) -> Measurements:
        self._check_open()
        times = [change.at for change in self._log]
        backlogs = self._deliveries.measured(self._forgotten, times)
        return Measurements(newest=self._newest, oldest_at=times[0] if times else None, backlogs=backlogs)

    @property
    def connections(self) -> None:
        return None

    async def secret(self) -> bytes:
        self._check_open()
        return self._secret

    async def close(self) -> None:
        self._closed = True
        self._changed.set()

    @property
    def _newest(self) -> int:
        return self._forgotten + len(self._log)

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable

    def _number(self, cursor: Cursor) -> int:
        number = self._cursor_codec.number(cursor)
        if not self._forgotten <= number <= self._newest:
            raise CursorExpired
        return number

    def _replay(self, key: IdempotencyKey, at: datetime) -> Replay | None:
        kept = self._outcomes.get((key.caller, key.name))
        if kept is None or kept.expires_at <= at:
            return None
        if kept.fingerprint != key.fingerprint:
            raise KeyReused
        return Replay(outcome=read_outcome(kept.outcome))

    def _state(self, batch: CommandBatch, ids: dict[EntityType[Any], int]) -> State:
        current: dict[Ref, Current] = {}
        for ref, needs_deleted in named(batch.commands).items():
            current[ref] = self._living.get(ref) or (self._deleted(ref) if needs_deleted else None)
        values = values_to_own(batch.commands, current)
        owners = self._owners(values) if values else {}
        current |= {ref: self._living[ref] for ref in upserted(batch.commands, owners)}
        return State(current=current, owners=owners, new_id=lambda entity_type: _next_id(ids, entity_type))

    def _deleted(self, ref: Ref) -> Deleted[Any] | None:
        changes = (change for change in reversed(self._log) if (change.entity_type, change.id) == ref)
        last = next(changes, None)
        return None if last is None else Deleted(self.documents.read(ref[0], last.record.document))

    def _owners(self, wanted: Set[UniqueValue]) -> dict[UniqueValue, int]:
        living = (
            (entity_type, unique.name, entity)
            for (entity_type, _), entity in self._living.items()
            for unique in entity_type.unique
        )
        values = ((entity_type, name, getattr(entity, name), entity.id) for entity_type, name, entity in living)
        return {
            (entity_type, name, value): id
            for entity_type, name, value, id in values
            if (entity_type, name, value) in wanted
        }

    def _kept(self, entity_type: EntityType[Any], id: int) -> list[Change[Any]]:
        return [change for change in self._log if change.entity_type is entity_type and change.id == id]

    def _write(
        self, final: Any, changes: tuple[Change[Any], ...], ids: dict[EntityType[Any], int], start: int | None
    ) -> None:
        for ref, entity in final.items():
            if ref[0].subscribes:
                self._deliveries.note(ref[1], entity, self._newest + len(changes) if start is None else start)
            if isinstance(entity, Deleted):
                self._living.pop(ref, None)
            else:
                self._living[ref] = entity
        if changes:
            self._ids = ids
            self._log += changes
            self._revisions |= {change.entity_type: self._newest for change in changes}
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()


def _next_id(ids: dict[EntityType[Any], int], entity_type: EntityType[Any]) -> int:
    ids[entity_type] = ids.get(entity_type, 0) + 1
    return ids[entity_type]
