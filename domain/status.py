"""The status of a store, as its owner wants to know it, and what in it needs attention."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from attrs import frozen

from domain.deliveries import MAX_CLOCK_SKEW

MANY_CHANGES = 10_000
"""How many changes a webhook may be behind without a word."""

LARGE_LOG = 256 * 1024 * 1024
"""How large a write-ahead log may be without a word, in bytes; the service keeps it far below this."""

NO_ROOM = 1024 * 1024
LITTLE_ROOM = 256 * 1024 * 1024
"""How many bytes must be free on the disk for the service to write, and to go on for a while."""


@frozen(kw_only=True)
class WebhookStatus:
    """How far a webhook is: `lag` is the number of changes behind its position."""

    id: int
    enabled: bool
    disabled_reason: str | None
    lag: int


@frozen(kw_only=True)
class StoreStatus:
    """What there is in a store, and around it, at one moment.

    `sizes` are in bytes, by what has them; `free` is what the disk has left, or None where that cannot be known.
    `versions` are those of the database. `now` is the time by the clock of the database, or None if that is our own.
    `keys` is how many keys are valid. `hints` are what only the adapter knows, complete with what to do.
    """

    schema: str
    log: str
    former_logs: int
    entities: Mapping[str, int]  # by the name of their collection
    changes: int
    oldest_change: datetime | None
    newest_change: datetime | None
    keys: int
    webhooks: tuple[WebhookStatus, ...]
    sizes: Mapping[str, int]
    free: int | None
    versions: Mapping[str, str]
    now: datetime | None
    hints: tuple[str, ...] = ()


@frozen
class Concern:
    """Something that needs attention: what it is, and what to do. `stops` the service from working, or does not."""

    text: str
    stops: bool = False


def concerns(status: StoreStatus, *, now: datetime) -> Iterator[Concern]:
    """Yield what needs attention in a store; `now` is the time by our own clock."""
    yield from map(Concern, status.hints)
    yield from _of_disk(status)
    yield from _of_clock(status, now)
    for each in status.webhooks:
        if each.disabled_reason is not None:
            what = f"webhook {each.id} was disabled: {each.disabled_reason}; mend its receiver, and set enabled"
            yield Concern(f"{what}, and it goes on where it stopped")
        elif each.enabled and each.lag > MANY_CHANGES:
            yield Concern(f"webhook {each.id} is {each.lag:,} changes behind: see its deliveries for the reason")


def _of_disk(status: StoreStatus) -> Iterator[Concern]:
    if status.free is not None and status.free < NO_ROOM:
        yield Concern(
            "the disk is full, so nothing can be written: free some space, and writing goes on by itself", True
        )
    elif status.free is not None and status.free < LITTLE_ROOM:
        yield Concern(f"the disk has only {status.free // 1024**2} MiB left: free some space")
    if (log := status.sizes.get("write-ahead log", 0)) > LARGE_LOG:
        what = f"the write-ahead log has {log // 1024**2} MiB: somebody has been reading for long, or was killed"
        yield Concern(f"{what}; end him, or start the service and let it rest for a second")


def _of_clock(status: StoreStatus, now: datetime) -> Iterator[Concern]:
    clock = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if status.now is not None and abs(status.now - now) > MAX_CLOCK_SKEW:
        what = f"the clock here says {clock}, and that of the database {status.now:%Y-%m-%d %H:%M:%S} UTC"
        yield Concern(f"{what}: set the wrong one")
    if status.newest_change is not None and status.newest_change - now > MAX_CLOCK_SKEW:
        what = f"the clock says {clock}, and the newest change is of {status.newest_change:%Y-%m-%d %H:%M:%S} UTC"
        yield Concern(f"{what}: set the clock if it is wrong; times of changes never run backwards")
