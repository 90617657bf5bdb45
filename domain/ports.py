"""What the domain needs of the outside, named by role.

A docstring here is a contract; one suite tests it on every store.

All of these raise `Unavailable` when the store cannot be reached or is closing.
"""

from abc import abstractmethod
from collections.abc import Set
from datetime import datetime, timedelta
from typing import Any, Protocol

from attrs import frozen

from domain.access.ports import AccessKeys
from domain.changes import Cursor, Entry
from domain.decisions import CommandBatch, Outcome, Replay
from domain.deliveries import Deliveries
from domain.entity_type import EntityType
from domain.queries import Page, Query
from domain.stored_entity import StoredEntity

RECEIPTS_KEPT = timedelta(hours=24)


class Reader(Protocol):
    """Reads the records of entities as they stand."""

    @abstractmethod
    async def get(self, entity_type: EntityType[Any], id: int) -> StoredEntity | None:
        """Return the entity's record, or None where there is none, or none any more."""

    @abstractmethod
    async def page(self, query: Query[Any]) -> Page:
        """Return the page that `query` describes, all of it read at one moment."""


class Writer(Protocol):
    """Carries out submissions."""

    @abstractmethod
    async def submit(self, submission: CommandBatch) -> Outcome | Replay:
        """Decide a submission and make it last, all of it or nothing.

        When this returns, what it reports is durable: the entities, their changes in the log in the order of the
        commands, and the receipt of its key. A refused command is a result, not an exception. Submissions take effect
        one after another; each is decided on what those before it left. New ids ascend and are never given twice.

        Raises `KeyReused` for a key that belongs to another request, `KeyInFlight` while its first request is being
        decided, `BadCursor` for a `follow` that is none, and `StorageFull`; nothing has changed then. A cancelled call
        may still take effect.
        """


@frozen(kw_only=True)
class LogPage:
    """Entries in the order of the log; `cursor` is behind the last of all that was looked at, matching or not."""

    entries: tuple[Entry, ...]
    cursor: Cursor


class ChangeLog(Protocol):
    """Reads the log. Its order is commit order: nothing ever appears in front of a cursor that was given out."""

    @abstractmethod
    async def read(self, after: Cursor | None, *, types: Set[str] = frozenset(), limit: int = 1000) -> LogPage:
        """Return up to `limit` entries after a cursor, or from the oldest kept.

        Only those of some `types`; of none, those of every kind that is published.

        Fewer than `limit`, even none, does not mean that the end was reached: it was when a second read from the
        cursor that came back returns nothing and the same cursor.
        Raises `BadCursor` for what is no cursor of this log, `CursorExpired` for one older than what is kept.
        """

    @abstractmethod
    async def head(self) -> Cursor:
        """Return the place behind the newest entry."""

    @abstractmethod
    async def oldest(self) -> Cursor:
        """Return the place in front of the oldest kept entry."""

    @abstractmethod
    async def history(
        self, entity_type: EntityType[Any], id: int, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        """Return up to `limit` kept entries of one entity with versions above `after`, oldest first."""

    @abstractmethod
    async def wait_for_changes(self, seen: Cursor) -> None:
        """Return when there may be entries after `seen`: at once where there are, else soon after they commit.

        A place that `read` refuses as expired is not waited at: this returns, and `read` tells. Raises `BadCursor`.
        """


class Upkeep(Protocol):
    """Keeps a store fit for use."""

    @abstractmethod
    async def ping(self) -> None:
        """Return when the store has written something, and so can write; nobody notices what. Raises `StorageFull`."""

    @abstractmethod
    async def believe(self, now: datetime, *, elapsed: timedelta) -> datetime:
        """Return the time that retention believes of a clock that says `now`, and remember it.

        It is decided by `domain.retention.advance` on what was decided last, by whichever process.
        """

    @abstractmethod
    async def purge(self, at: datetime, *, changes_before: datetime, keep: Cursor | None = None) -> bool:
        """Forget credentials that expired by `at`, and a bounded number of receipts that did, and of old changes.

        Old are those from before `changes_before`. Changes behind the cursor `keep` stay, wherever it is. Deliveries
        that were begun before `changes_before` and are not pending go too. Returns whether there may be more to
        forget. Raises `BadCursor`.
        """

    @abstractmethod
    async def secret(self) -> bytes:
        """Return 32 random bytes that every process on this store shares, made when the store was."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what was submitted, then release everything. A second call does nothing."""


class Store(Reader, Writer, ChangeLog, Upkeep, Protocol):
    """All roles at once, as the adapters fill them."""

    @property
    @abstractmethod
    def deliveries(self) -> Deliveries:
        """What is kept of deliveries to webhooks."""

    @property
    @abstractmethod
    def access_keys(self) -> AccessKeys:
        """The keys that let callers in."""
