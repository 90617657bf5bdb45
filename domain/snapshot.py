"""Everything that a store holds, told so that any store can take it over; and the ports of telling and of taking.

It is told in parts of one kind each. Two stores hold the same exactly if their parts are the same, but that the log of
a copy has a name more, its own. Changes keep their numbers, and so cursors their meaning.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from attrs import frozen

from domain.access.access_key import AccessKey, Credential
from domain.changes import Change, Cursor
from domain.deliveries import Delivery
from domain.entity_type import EntityType
from domain.stored_entity import StoredEntity

BATCH = 1000
"""How many a part holds at most."""

RECEIPTS_BATCH = 100
"""The same for receipts, each of which may be as large as the answer to a thousand commands."""


@frozen(kw_only=True)
class Metadata:
    """What there is of once.

    `logs` are the names of the log, the one with which its cursors begin and those of before, each with the number of
    the newest change up to which its cursors are numbers of these changes; None where they are told one by one.
    `forgotten` is the number of the newest change that is no longer kept, or 0. `last_ids` has of each kind, by name,
    the highest id that was ever given, or 0.
    """

    secret: bytes
    logs: Mapping[str, int | None]
    forgotten: int
    last_ids: Mapping[str, int]


@frozen(kw_only=True)
class Entities:
    """Entities of one kind, as they stand."""

    entity_type: EntityType[Any]
    records: tuple[StoredEntity, ...]


@frozen(kw_only=True)
class Changes:
    """Kept changes, numbered from behind what is forgotten."""

    changes: tuple[Change[Any], ...]


@frozen(kw_only=True)
class FormerCursors:
    """Cursors of former logs that are no numbers of these changes, and the number of the change that each is behind."""

    numbers: Mapping[Cursor, int]


@frozen(kw_only=True)
class Receipt:
    """What is kept under an idempotency key."""

    caller: str
    name: str
    fingerprint: bytes
    receipt: bytes
    expires_at: datetime


@frozen(kw_only=True)
class Receipts:
    """What is kept under idempotency keys."""

    receipts: tuple[Receipt, ...]


@frozen(kw_only=True)
class Positions:
    """The number of the newest change that each webhook has had, by its id."""

    numbers: Mapping[int, int]


@frozen(kw_only=True)
class Sent:
    """What was delivered to webhooks, or will be."""

    deliveries: tuple[Delivery, ...]


@frozen(kw_only=True)
class Keys:
    """The keys that let callers in."""

    keys: tuple[AccessKey, ...]


@frozen(kw_only=True)
class Credentials:
    """What stands for keys."""

    credentials: tuple[Credential, ...]


Part = Metadata | Entities | Changes | FormerCursors | Receipts | Positions | Sent | Keys | Credentials


class Export(Protocol):
    """Tells what a store held at one moment, whatever is written to it meanwhile."""

    @abstractmethod
    async def size(self) -> int:
        """Return how many entities, changes, former cursors, receipts, deliveries, keys and credentials there are."""

    @abstractmethod
    def read(self) -> AsyncIterator[Part]:
        """Return everything in its order; each time that it is called, the same.

        First the metadata; then the entities kind by kind in the order of the registry, by ascending id; the changes in
        the order of the log; the former cursors in the order of their code points; the receipts by their expiry, caller
        and name; the positions; the deliveries, oldest first; the keys by ascending id; the credentials by their
        hashes. A part is full unless it is the last of its type and kind, and is left out if it is empty.
        Raises `Unavailable`.
        """


class Import(Protocol):
    """Takes over what another store held, into an empty store: all of it at once, when it is committed, or nothing.

    Nobody sees any of it before, and whatever interrupts it, even the end of the process, leaves the store empty.
    """

    @abstractmethod
    async def write(self, part: Part) -> None:
        """Take a part; parts come as `Export.read` tells them. Raises `StorageFull` and `Unavailable`."""

    @abstractmethod
    async def arrange(self) -> None:
        """Make ready for use what was taken, when it is complete. May take long."""

    @property
    @abstractmethod
    def taken(self) -> Export:
        """What was taken, as it is stored."""

    @abstractmethod
    async def commit(self) -> None:
        """Make it last. Raises `Unavailable` where nobody can tell whether it does."""


class SameLog(Exception):
    """The logs of two stores have a name in common, so that one cursor would mean two things at the copy."""

    def __init__(self) -> None:
        super().__init__("the target is the source itself, or a copy of it")


class NotEmpty(Exception):
    """A store that should take over the content of another one has its own."""

    def __init__(self) -> None:
        super().__init__("the store is not empty")


def size(part: Part) -> int:
    """Return how many of those that `Export.size` counts are in a part."""
    match part:
        case Entities(records=items) | Changes(changes=items) | Receipts(receipts=items) | Sent(deliveries=items):
            return len(items)
        case FormerCursors(numbers=numbers):
            return len(numbers)
        case Keys(keys=items) | Credentials(credentials=items):
            return len(items)
        case _:
            return 0
