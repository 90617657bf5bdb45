"""The content of a store at one moment: in a form that any store can import, and piece by piece; with the ports for it.

A snapshot comes in parts of one type each. Two stores hold the same exactly if their parts are equal, except that the
log of a copy has one more name, its own. Changes keep their numbers, so cursors keep their meaning.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import Protocol

from attrs import frozen

from domain.access.access_key import AccessKey, Credential
from domain.calendar import Calendar
from domain.changes import Change, Cursor, Entry
from domain.deliveries import Delivery
from domain.entity_type import Entity, EntityType
from domain.queries import Condition
from domain.stored_entity import StoredEntity

BATCH = 1000
"""The most items in a part."""

OUTCOMES_BATCH = 100
"""The most stored outcomes in a part; one may be as large as the answer to a thousand commands."""


@frozen(kw_only=True)
class Metadata:
    """The single facts of a store.

    `logs` has the current name of the log and the former ones. Each has the number of the newest change up to which its
    cursors are numbers of these changes, or None if `FormerCursors` lists them. `forgotten` is the number of the newest
    purged change, or 0. `last_ids` has the highest id that each entity type ever gave, by its name, or 0.
    """

    secret: bytes
    logs: Mapping[str, int | None]
    forgotten: int
    last_ids: Mapping[str, int]


@frozen(kw_only=True)
class Entities:
    """The current entities of one type."""

    entity_type: EntityType[Entity]
    records: tuple[StoredEntity, ...]


@frozen(kw_only=True)
class Changes:
    """The kept changes; the first number follows `forgotten`."""

    changes: tuple[Change[Entity], ...]


@frozen(kw_only=True)
class FormerCursors:
    """Cursors of former logs that are no numbers, each with the number of the change that it is behind."""

    numbers: Mapping[Cursor, int]


@frozen(kw_only=True)
class StoredOutcome:
    """The stored outcome under one idempotency key."""

    caller: str
    name: str
    fingerprint: bytes
    outcome: bytes
    expires_at: datetime


@frozen(kw_only=True)
class StoredOutcomes:
    """The stored outcomes under idempotency keys."""

    outcomes: tuple[StoredOutcome, ...]


@frozen(kw_only=True)
class Positions:
    """The number of the newest change that each webhook got, by its id."""

    numbers: Mapping[int, int]


@frozen(kw_only=True)
class AllDeliveries:
    """Deliveries to webhooks, finished and pending."""

    deliveries: tuple[Delivery, ...]


@frozen(kw_only=True)
class Keys:
    """The keys that let callers in."""

    keys: tuple[AccessKey, ...]


@frozen(kw_only=True)
class Credentials:
    """The credentials of the keys."""

    credentials: tuple[Credential, ...]


@frozen(kw_only=True)
class AllCalendars:
    """The calendars, and the deleted ones whose ids must not be given again."""

    calendars: tuple[Calendar, ...]


Part = (
    Metadata
    | Entities
    | Changes
    | FormerCursors
    | StoredOutcomes
    | Positions
    | AllDeliveries
    | Keys
    | Credentials
    | AllCalendars
)


class SnapshotReader(Protocol):
    """Reads entities and changes as they are at one moment, unaffected by later writes, in batches of up to `BATCH`.

    Its methods are called one after the other. They raise `Unavailable`.
    """

    @abstractmethod
    async def count(self, entity_type: EntityType[Entity], where: tuple[Condition, ...] = ()) -> int:
        """Return how many entities satisfy all conditions."""

    @abstractmethod
    def entities(
        self, entity_type: EntityType[Entity], where: tuple[Condition, ...] = ()
    ) -> AsyncIterator[tuple[StoredEntity, ...]]:
        """Return the entities that satisfy all conditions, by ascending id."""

    @abstractmethod
    async def count_changes(self, entity_types: Collection[EntityType[Entity]]) -> int:
        """Return how many changes of these types the log has."""

    @abstractmethod
    def entries(self, entity_types: Collection[EntityType[Entity]]) -> AsyncIterator[tuple[Entry, ...]]:
        """Return the kept changes of these types, in the order of the log."""


class Export(Protocol):
    """Exports the content of a store at one moment, unaffected by later writes."""

    @abstractmethod
    async def size(self) -> int:
        """Return how many items all parts have, as `size` counts them."""

    @abstractmethod
    def read(self) -> AsyncIterator[Part]:
        """Return all parts in order; every call returns the same.

        First the metadata; then the entities type by type in the order of the registry, by ascending id; the changes in
        the order of the log; the former cursors in the order of their code points; the stored outcomes by their expiry,
        caller and name; the positions; the deliveries, oldest first; the keys by ascending id; the credentials by their
        hashes; the calendars by ascending id. A part is full unless it is the last of its type, and an empty part is
        left out.
        Raises `Unavailable`.
        """


class Snapshot(Export, SnapshotReader, Protocol):
    """Both, at the same moment."""


class Import(Protocol):
    """Imports the content of another store into an empty store: all at once, when it is committed, or nothing.

    Nobody sees any of it before. An interruption, even the end of the process, leaves the store empty.
    """

    @abstractmethod
    async def write(self, part: Part) -> None:
        """Take a part; parts come in the order of `Export.read`. Raises `StorageFull` and `Unavailable`."""

    @abstractmethod
    async def arrange(self) -> None:
        """Make the complete import ready for use. May take long."""

    @property
    @abstractmethod
    def taken(self) -> Export:
        """The imported content, as it is stored."""

    @abstractmethod
    async def commit(self) -> None:
        """Commit it. Raises `Unavailable` if nobody can tell whether the commit succeeded."""


class SameLog(Exception):
    """The logs of two stores have a name in common, so that one cursor would mean two things at the copy."""

    def __init__(self) -> None:
        super().__init__("the target is the source itself, or a copy of it")


class NotEmpty(Exception):
    """The target of an import is not empty."""

    def __init__(self) -> None:
        super().__init__("the store is not empty")


class SchemaTooOld(Exception):
    """An older version of this program wrote the store, and this operation may not migrate it. Serving it once does."""


class InUse(Exception):
    """A service or a command has the store open, and would go on with what it has read of it."""


def size(part: Part) -> int:
    """Return the number of items in a part; metadata and positions are none."""
    match part:
        case (
            Entities(records=items)
            | Changes(changes=items)
            | StoredOutcomes(outcomes=items)
            | AllDeliveries(deliveries=items)
        ):
            return len(items)
        case FormerCursors(numbers=numbers):
            return len(numbers)
        case Keys(keys=items) | Credentials(credentials=items) | AllCalendars(calendars=items):
            return len(items)
        case _:
            return 0
