"""Deliveries to webhooks, kept in memory."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import define, evolve, field

from domain.changes import Cursor
from domain.cursor_codec import CursorCodec
from domain.deliveries import MAX_CLOCK_SKEW, Deliveries, Delivery, DeliveryStatus, Lease, Progress
from domain.entity_type import Deleted
from domain.measurements import MOST_BACKLOGS, Backlog


@define(eq=False)
class _Progress:
    number: int  # the newest change that the webhook has had
    enabled: bool
    owner: str = ""
    until: datetime | None = None


@define(eq=False)
class MemoryDeliveries(Deliveries):
    """Keeps deliveries; it shares the clock, the numbers and the closing of the store in memory."""

    clock: Callable[[], datetime]
    cursor_codec: CursorCodec
    newest: Callable[[], int]
    check_open: Callable[[], None]

    _progress: dict[int, _Progress] = field(factory=dict, init=False)
    _log: dict[str, Delivery] = field(factory=dict, init=False)

    async def positions(self, webhooks: Collection[int]) -> Mapping[int, Cursor]:
        self.check_open()
        wanted = self._progress.keys() & set(webhooks)
        return {id: self.cursor_codec.cursor(self._progress[id].number) for id in wanted}

    async def progress(self, webhook: int) -> Progress | None:
        self.check_open()
        return self._reached(webhook) if webhook in self._progress else None

    async def backlogs(self) -> Mapping[int, Progress]:
        self.check_open()
        newest, reached = self.newest(), {id: self._reached(id) for id in self._progress}
        behind = {id for id, each in self._progress.items() if each.enabled and each.number < newest}
        return {id: each for id, each in reached.items() if each.pending or id in behind}

    async def needed(self) -> Cursor | None:
        self.check_open()
        numbers = [each.number for each in self._progress.values() if each.enabled]
        return self.cursor_codec.cursor(min(numbers)) if numbers else None

    def measured(self, forgotten: int, times: Sequence[datetime]) -> tuple[Backlog, ...]:
        """Return the backlogs; `times` are of the changes from number `forgotten` + 1 on."""
        newest = self.newest()
        furthest = sorted(self._progress.items(), key=lambda item: item[1].number)[:MOST_BACKLOGS]
        return tuple(
            Backlog(
                webhook=id,
                enabled=each.enabled,
                changes=newest - each.number,
                since=next(iter(times[max(0, each.number - forgotten) :]), None),
            )
            for id, each in furthest
        )

    async def claim(self, webhook: int, owner: str, lease: timedelta) -> bool:
        self.check_open()
        at, progress = self.clock(), self._progress.get(webhook)
        if progress is None:
            return False
        taken = progress.until is not None and at < progress.until <= at + lease + MAX_CLOCK_SKEW
        if taken and progress.owner != owner:
            return False
        progress.owner, progress.until = owner, at + lease
        return True

    async def release(self, webhook: int, owner: str) -> None:
        self.check_open()
        if self._held(webhook, owner) is not None:
            self._progress[webhook].until = None

    async def record(
        self, webhook: int, owner: str, *, delivery: Delivery | None = None, position: Cursor | None = None
    ) -> bool:
        self.check_open()
        number = 0 if position is None else self.cursor_codec.number(position)
        progress = self._held(webhook, owner)
        if progress is None:
            return False
        progress.number = max(progress.number, number)
        if delivery is not None:
            self.put((delivery,))
        return True

    async def delivery(self, webhook: int, id: str) -> Delivery | None:
        self.check_open()
        found = self._log.get(id)
        return found if found is not None and found.webhook == webhook else None

    async def history(self, webhook: int, *, before: str | None = None, limit: int = 100) -> tuple[Delivery, ...]:
        self.check_open()
        mine = [each for each in self._log.values() if each.webhook == webhook]
        ids = [each.id for each in mine]
        end = len(mine) if before is None else ids.index(before) if before in ids else 0
        return tuple(reversed(mine[max(0, end - limit) : end]))

    def is_held(self, lease: Lease) -> bool:
        """Return whether the owner of a lease still holds it."""
        return self._held(lease.webhook, lease.owner) is not None

    def put(self, deliveries: Iterable[Delivery]) -> None:
        """Replace deliveries by their ids."""
        self._log |= {each.id: each for each in deliveries}

    def note(self, webhook: int, after: Any, start: int) -> None:
        """Record that a webhook exists or was deleted; a new one starts after change `start`."""
        if isinstance(after, Deleted):
            self._progress.pop(webhook, None)
            self._log = {id: each for id, each in self._log.items() if each.webhook != webhook}
        else:
            self._progress.setdefault(webhook, _Progress(start, after.enabled)).enabled = after.enabled

    def queue(self, deliveries: Iterable[Delivery]) -> None:
        """Add new deliveries; a delivery that is already pending only gets its new time."""
        for each in deliveries:
            known = self._log.get(each.id)
            if known is None:
                self._log[each.id] = each
            elif known.status is DeliveryStatus.PENDING:
                self._log[each.id] = evolve(known, next_attempt_at=each.next_attempt_at)

    def purge(self, begun_before: datetime, limit: int) -> bool:
        """Purge some old deliveries; return whether there may be more."""
        old = [
            id for id, each in self._log.items() if each.at < begun_before and each.status is not DeliveryStatus.PENDING
        ]
        for id in old[:limit]:
            del self._log[id]
        return len(old) > limit

    def _reached(self, webhook: int) -> Progress:
        pending = (each for each in self._log.values() if each.webhook == webhook)
        return Progress(
            position=self.cursor_codec.cursor(self._progress[webhook].number),
            pending=tuple(each for each in pending if each.status is DeliveryStatus.PENDING),
        )

    def _held(self, webhook: int, owner: str) -> _Progress | None:
        progress = self._progress.get(webhook)
        if progress is None or progress.until is None or progress.owner != owner:
            return None
        return progress
