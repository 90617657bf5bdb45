"""A calendar shows tasks to programs that subscribe to its URL. The URL has a secret; a store keeps its hash only.

A calendar is no entity: it is made and deleted, never edited, and the log must not tell of it.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from hashlib import blake2b
from typing import ClassVar, Protocol

from attrs import evolve, field, frozen

from domain.access.access_key import Actor
from domain.access.key_text import hash_of
from domain.entity_type import Field
from domain.errors import DomainError, NotFound
from domain.field_types import EnumField, FieldType, String, ValidationError
from domain.filters import Filters
from domain.parsing import parse_fields
from domain.queries import Condition, Operator, Order, Query
from domain.task import TASK, Task

MAX_CALENDARS = 1000

MAX_TASKS = 1000
"""The most tasks that a calendar shows."""

_FILTERS = Filters(TASK)


@frozen
class TaskFilter(FieldType):
    """Filters of tasks in one text, such as `status=pending&due[lte]=2026-12-31`. The text is kept as it is."""

    most: int = 2000

    def check(self, value: object) -> str:
        text = String(0, self.most).check(value)
        try:
            _FILTERS.parse(text)
        except DomainError as refused:
            raise ValidationError("bad_filter", f"cannot be used: {refused}") from None
        return text


class CalendarForm(Enum):
    """What a task looks like to a subscriber."""

    EVENT = "event"  # all calendars show these
    TODO = "todo"  # only some do


FIELDS = (
    Field(name="name", field_type=String(1, 100), required=True),
    Field(name="filter", field_type=TaskFilter(), default=""),
    Field(name="as", field_type=EnumField(CalendarForm), default=CalendarForm.EVENT),
)


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

    @property
    def tasks(self) -> Query[Task]:
        """Return the query of the tasks that it shows: of those that match, the ones with the latest due dates.

        Raises `BadParameter` and `ParameterOutOfRange` for a filter that only an earlier version understood.
        """
        due = TASK.by_name["due"]
        where = (*_FILTERS.parse(self.filter), Condition(due, Operator.NULL, operand=False))
        return Query(entity_type=TASK, where=where, order=(Order(due, descending=True),), limit=MAX_TASKS)


def namespace_of(secret: bytes) -> str:
    """Return what tells the tasks of one store from those of any other, without its secret. It moves with the store."""
    return blake2b(b"calendars", key=secret, digest_size=8).hexdigest()


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

    @classmethod
    def parse(cls, raw: Mapping[str, object], *, actor: Actor | None, secret: str) -> "CreateCalendar":
        """Check a raw document. Raises `ValidationFailed` with all violations."""
        values = parse_fields(raw, FIELDS)
        form = values.pop("as")  # a keyword of Python
        return cls(**values, form=form, actor=actor, secret=secret)

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
