"""The ports of stores, named by role.

A docstring here is a contract; one suite tests it on every store.

All methods raise `Unavailable` when the store cannot be reached or is closing.
"""

from abc import abstractmethod
from collections.abc import Set
from datetime import datetime, timedelta
from typing import Protocol

from attrs import frozen

from domain.access.ports import AccessKeys
from domain.calendar import Calendars
from domain.changes import Cursor, Entry
from domain.decisions import CommandBatch, Outcome, Replay
from domain.deliveries import Deliveries
from domain.entity_type import Entity, EntityType
from domain.measurements import ConnectionUse, Measurements
from domain.queries import Page, Query
from domain.stored_entity import StoredEntity

OUTCOMES_KEPT = timedelta(hours=24)


class Reader(Protocol):
    """Reads the current entities."""

    @abstractmethod
    async def get(self, entity_type: EntityType[Entity], id: int) -> StoredEntity | None:
        """Return a stored entity, or None if it never existed or was deleted."""

    @abstractmethod
    async def page(self, query: Query[Entity]) -> Page:
        """Return the page that `query` describes, all of it read at one moment."""


class Writer(Protocol):
    """Carries out command batches."""

    @property
    @abstractmethod
    def large_at_once(self) -> int:
        """Return how many large batches this process carries out at the same time; others wait for them."""

    @abstractmethod
    async def submit(self, batch: CommandBatch) -> Outcome | Replay:
        """Decide a batch and store its effects, all or none.

        When this returns, the effects are durable: the entities, their changes in the log in the order of the
        commands, and the outcome under its key. A refused command is a result, not an exception. Batches take effect
        one after another; each is decided on the state that the others left. New ids ascend and are never reused.

        Raises `KeyReused` for a key that belongs to another request, `KeyInFlight` while its first request is being
        decided, `BadCursor` for a bad `follow`, and `StorageFull`; nothing has changed then. A cancelled call
        may still take effect.
        """


@frozen(kw_only=True)
class LogPage:
    """Entries in the order of the log; `cursor` is behind the last entry that was read, matching or not."""

    entries: tuple[Entry, ...]
    cursor: Cursor


class ChangeLog(Protocol):
    """Reads the log. Its order is commit order: nothing ever appears in front of a cursor that was given out."""

    @abstractmethod
    async def read(self, after: Cursor | None, *, types: Set[str] = frozenset(), limit: int = 1000) -> LogPage:
        """Return up to `limit` entries after a cursor, or from the oldest kept.

        `types` selects entries; without any, all public types are read.

        Fewer than `limit` entries, even none, do not mean the end of the log. The end is reached when a read returns
        no entry and the cursor that it was given.
        Raises `BadCursor` for no cursor of this log, `CursorExpired` for one older than the kept changes.
        """

    @abstractmethod
    async def head(self, *, before: int = 0) -> Cursor:
        """Return the position behind the newest entry, or in front of the newest `before`, as far as they are kept."""

    @abstractmethod
    async def oldest(self) -> Cursor:
        """Return the position in front of the oldest kept entry."""

    @abstractmethod
    async def history(
        self, entity_type: EntityType[Entity], id: int, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        """Return up to `limit` kept entries of one entity with versions above `after`, oldest first."""

    @abstractmethod
    async def wait_for_changes(self, seen: Cursor) -> None:
        """Return when there may be entries after `seen`: at once if there are some, else soon after they commit.

        Returns at once for an expired position, so that `read` can refuse it. Raises `BadCursor`.
        """


class Upkeep(Protocol):
    """Keeps a store fit for use."""

    @abstractmethod
    async def ping(self) -> None:
        """Write something invisible, to find out whether the store can write. Raises `StorageFull`."""

    @abstractmethod
    async def believe(self, now: datetime, *, elapsed: timedelta) -> datetime:
        """Return the time that retention believes when the clock says `now`, and store it.

        `domain.retention.advance` decides it from the last stored time, which any process may have stored.
        """

    @abstractmethod
    async def purge(self, at: datetime, *, changes_before: datetime, keep: Cursor | None = None) -> bool:
        """Delete credentials and stored outcomes that expired by `at`, and changes from before `changes_before`.

        One call deletes a bounded number of outcomes and changes. Changes behind the cursor `keep` stay. Deliveries
        that were begun before `changes_before` and are not pending go too. Returns whether there may be more to
        delete. Raises `BadCursor`.
        """

    @abstractmethod
    async def measure(self) -> Measurements:
        """Measure the log, the webhooks and the room, without a write."""

    @property
    @abstractmethod
    def connections(self) -> ConnectionUse | None:
        """Return the use of this process's connections, or None for a store that needs no server."""

    @abstractmethod
    async def secret(self) -> bytes:
        """Return 32 random bytes, made with the store and shared by all its processes."""

    @abstractmethod
    async def close(self) -> None:
        """Finish the submitted batches, then release everything. A second call does nothing."""


class Store(Reader, Writer, ChangeLog, Upkeep, Protocol):
    """All roles at once, as the adapters fill them."""

    @property
    @abstractmethod
    def deliveries(self) -> Deliveries:
        """The deliveries to webhooks."""

    @property
    @abstractmethod
    def access_keys(self) -> AccessKeys:
        """The keys that let callers in."""

    @property
    @abstractmethod
    def calendars(self) -> Calendars:
        """The calendars that programs subscribe to."""
