"""The status of a store, as its owner wants to know it, and what in it needs attention."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from attrs import frozen

from domain.deliveries import MAX_CLOCK_SKEW
from domain.measurements import Measurements

MANY_CHANGES = 10_000
"""How many changes a webhook may be behind without a word."""

LARGE_LOG = 256 * 1024 * 1024
"""How large a write-ahead log may be without a word, in bytes; the service keeps it far below this."""

NO_ROOM = 1024 * 1024
LITTLE_ROOM = 256 * 1024 * 1024
"""How many bytes must be free on the disk for the service to write, and to go on for a while."""


@frozen(kw_only=True)
class StoreStatus:
    """What there is in a store, and around it, at one moment.

    `disabled` has the reason for each webhook that the service disabled. `versions` are those of the database. `now` is
    the time by the clock of the database, or None if that is our own. `keys` is how many keys are valid. `hints` are
    what only the adapter knows, complete with what to do.
    """

    schema: str
    log: str
    former_logs: int
    entities: Mapping[str, int]  # by the name of their collection
    changes: int
    newest_change: datetime | None
    keys: int
    disabled: Mapping[int, str]
    measurements: Measurements
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
    yield from _of_disk(status.measurements)
    yield from _of_clock(status, now)
    for id, reason in status.disabled.items():
        what = f"webhook {id} was disabled: {reason}; mend its receiver, and set enabled"
        yield Concern(f"{what}, and it goes on where it stopped")
    for each in status.measurements.backlogs:
        if each.enabled and each.changes > MANY_CHANGES:
            what = f"webhook {each.webhook} is {each.changes:,} changes behind"
            yield Concern(f"{what}: see its deliveries for the reason")


def _of_disk(measured: Measurements) -> Iterator[Concern]:
    if measured.free is not None and measured.free < NO_ROOM:
        what = "the disk is full, so nothing can be written"
        yield Concern(f"{what}: free some space, and writing goes on by itself", stops=True)
    elif measured.free is not None and measured.free < LITTLE_ROOM:
        yield Concern(f"the disk has only {measured.free // 1024**2} MiB left: free some space")
    if (measured.wal or 0) > LARGE_LOG:
        what = f"the write-ahead log has {(measured.wal or 0) // 1024**2} MiB: somebody reads for long, or was killed"
        yield Concern(f"{what}; end him, or start the service and let it rest for a second")


def _of_clock(status: StoreStatus, now: datetime) -> Iterator[Concern]:
    clock = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if status.now is not None and abs(status.now - now) > MAX_CLOCK_SKEW:
        what = f"the clock here says {clock}, and that of the database {status.now:%Y-%m-%d %H:%M:%S} UTC"
        yield Concern(f"{what}: set the wrong one")
    if status.newest_change is not None and status.newest_change - now > MAX_CLOCK_SKEW:
        what = f"the clock says {clock}, and the newest change is of {status.newest_change:%Y-%m-%d %H:%M:%S} UTC"
        yield Concern(f"{what}: set the clock if it is wrong; times of changes never run backwards")
