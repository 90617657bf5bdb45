"""A calendar shows tasks to programs that subscribe to its URL. The URL has a secret; a store keeps its hash only.

A calendar is no entity: it is made and deleted, never edited, and the log must not tell of it.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import ClassVar, Protocol

from attrs import evolve, field, frozen

from domain.access.access_key import Actor
from domain.access.key_text import hash_of
from domain.errors import DomainError, NotFound
from domain.field_types import String
from domain.queries import Condition, Operator, Order, Query
from domain.task import TASK, Task

MAX_CALENDARS = 1000

MAX_TASKS = 1000
"""The most tasks that a calendar shows."""

NAME = String(1, 100)
FILTER = String(0, 2000)


class CalendarForm(Enum):
    """What a task looks like to a subscriber."""

    EVENT = "event"  # all calendars show these
    TODO = "todo"  # only some do


@frozen(kw_only=True)
class Calendar:
    """A calendar of the tasks that a `filter` selects, which is the query of a list.

    `actor` is the key that made it. `hash` is that of its secret, or None once it was deleted.
    """

    id: int
    name: str
    filter: str
    form: CalendarForm
    created_at: datetime
    actor: Actor | None = None
    hash: bytes | None = field(default=None, repr=False)


def shown(query: Query[Task]) -> Query[Task]:
    """Return the query of what a calendar shows: of the tasks that match, those with a due date, the latest first."""
    due = TASK.by_name["due"]
    where = (*query.where, Condition(due, Operator.NULL, operand=False))
    return evolve(query, where=where, order=(Order(due, descending=True),), limit=MAX_TASKS)


@frozen(kw_only=True)
class CalendarChange:
    """The result of a decision: the calendar, to be stored under its id. The `dropped` ones are deleted."""

    calendar: Calendar
    dropped: tuple[int, ...] = ()


CalendarDecision = Callable[[Sequence[Calendar], datetime], CalendarChange]
"""Decides on all calendars, also deleted ones, by ascending id, and the time. Raises `DomainError`."""


@frozen(kw_only=True)
class TooManyCalendars(DomainError):
    """There are as many calendars as there may be."""

    code: ClassVar[str] = "too_many_calendars"

    @property
    def message(self) -> str:
        return f"there are {MAX_CALENDARS} calendars already; delete some that nobody subscribes to"


@frozen(kw_only=True)
class CreateCalendar:
    """Make a calendar with a secret.

    A deleted calendar is kept until there is a newer one. So the highest id is always kept, and none is given twice.
    """

    name: str
    filter: str
    form: CalendarForm
    actor: Actor | None
    secret: str = field(repr=False)

    def __call__(self, calendars: Sequence[Calendar], at: datetime) -> CalendarChange:
        deleted = tuple(each.id for each in calendars if each.hash is None)
        if len(calendars) - len(deleted) >= MAX_CALENDARS:
            raise TooManyCalendars
        calendar = Calendar(
            id=1 + max((each.id for each in calendars), default=0),
            name=self.name,
            filter=self.filter,
            form=self.form,
            created_at=at,
            actor=self.actor,
            hash=hash_of(self.secret),
        )
        return CalendarChange(calendar=calendar, dropped=deleted)


@frozen(kw_only=True)
class DeleteCalendar:
    """End a calendar: its URL leads nowhere from now on."""

    id: int

    def __call__(self, calendars: Sequence[Calendar], at: datetime) -> CalendarChange:
        del at
        calendar = next((each for each in calendars if each.id == self.id and each.hash is not None), None)
        if calendar is None:
            raise NotFound(entity_type="calendar", id=self.id)
        return CalendarChange(calendar=evolve(calendar, hash=None))


class Calendars(Protocol):
    """Keeps calendars. All methods raise `Unavailable`; `change` also raises `StorageFull`."""

    @abstractmethod
    async def find(self, hash: bytes) -> Calendar | None:
        """Return the calendar whose secret has a hash, as any process has left it, or None."""

    @abstractmethod
    async def calendars(self) -> tuple[Calendar, ...]:
        """Return the calendars that were not deleted, by ascending id."""

    @abstractmethod
    async def change(self, decision: CalendarDecision, *, dry_run: bool = False) -> Calendar:
        """Decide on all calendars and store the result, unless it is a dry run; return the resulting calendar.

        Decisions run one after another. An error of the decision is raised, and changes nothing.
        """
