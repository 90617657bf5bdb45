"""What can be measured of a store: its log, its webhooks, its room."""

from collections.abc import Callable
from datetime import datetime

from attrs import frozen

MOST_BACKLOGS = 1000
"""How many webhooks are measured; those furthest behind come first."""

GroupObserver = Callable[[int, float], object]
"""Is told of each group commit: how many batches it had, and how many seconds it took. Any thread may call it."""


def unobserved(batches: int, seconds: float) -> None:
    """Observe no group."""
    del batches, seconds


WaitObserver = Callable[[float], object]
"""Is told how many seconds a call waited for others in the store. It is called in the context of the waiting call."""


def unnoticed(seconds: float) -> None:
    """Observe no wait."""
    del seconds


@frozen(kw_only=True)
class Backlog:
    """What a webhook has not had yet: `changes` of any type, the first of them made `since` a time."""

    webhook: int
    enabled: bool
    changes: int
    since: datetime | None


@frozen(kw_only=True)
class ConnectionUse:
    """The connections of one process to a database: in use, open and idle, and the most that it may open."""

    used: int
    idle: int
    most: int


@frozen(kw_only=True)
class Measurements:
    """A store at one moment. Sizes are in bytes; None where the store has no such thing, or does not know."""

    newest: int  # the number of the newest change, purged or not
    oldest_at: datetime | None  # when the oldest kept change was made; None while there is none
    backlogs: tuple[Backlog, ...] = ()  # of `MOST_BACKLOGS` webhooks at most, those furthest behind first
    size: int | None = None  # of the file or the database
    wal: int | None = None  # of the write-ahead log beside the file
    free: int | None = None  # on the disk of the file
