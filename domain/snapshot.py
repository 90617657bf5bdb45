"""Everything that a store holds, told so that any store can take it over; and the ports of telling and of taking.

It is told in parts of one kind each. Two stores hold the same exactly if their parts are the same, but for the cursors,
which each store makes for itself: a store that takes over changes also takes over the cursors that they had before.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

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

    `logs` are the names of the log: with which its cursors begin, and those of before, which have expired if nothing
    else is known of them. `oldest` are the cursors of the place in front of the oldest kept change. `last_ids` has of
    each kind, by name, the highest id that was ever given, or 0.
    """

    secret: bytes
    logs: frozenset[str]
    oldest: frozenset[Cursor]
    last_ids: Mapping[str, int]


@frozen(kw_only=True)
class Entities:
    """Entities of one kind, as they stand."""

    entity_type: EntityType[Any]
    records: tuple[StoredEntity, ...]


class Logged(NamedTuple):
    """A change, and every cursor of the place behind it. There may be none, where others could yet come before it."""

    change: Change[Any]
    cursors: frozenset[Cursor]


@frozen(kw_only=True)
class Changes:
    """Kept changes."""

    logged: tuple[Logged, ...]


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
    """How many of the kept changes each webhook has had, by its id. All it has not had come behind them."""

    had: Mapping[int, int]


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


Part = Metadata | Entities | Changes | Receipts | Positions | Sent | Keys | Credentials


class Export(Protocol):
    """Tells what a store held at one moment, whatever is written to it meanwhile."""

    @abstractmethod
    async def size(self) -> int:
        """Return how many entities, changes, receipts, deliveries, keys and credentials there are."""

    @abstractmethod
    def read(self) -> AsyncIterator[Part]:
        """Return everything in its order; each time that it is called, the same.

        First the facts; then the entities kind by kind in the order of the catalogue, by ascending id; the changes in
        the order of the log; the receipts by their expiry, caller and name; the positions; the deliveries, oldest
        first; the keys by ascending id; the credentials by their hashes. A part is full unless it is the last of its
        type and kind, and is left out if it is empty.
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


class NotEmpty(Exception):
    """A store that should take over the content of another one has its own."""

    def __init__(self) -> None:
        super().__init__("the store is not empty")


def size(part: Part) -> int:
    """Return how many of those that `Export.size` counts are in a part."""
    match part:
        case Entities(records=items) | Changes(logged=items) | Receipts(receipts=items) | Sent(deliveries=items):
            return len(items)
        case Keys(keys=items) | Credentials(credentials=items):
            return len(items)
        case _:
            return 0
