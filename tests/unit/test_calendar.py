"""Calendars as pure decisions, and what they show."""

from typing import Any

import pytest

from domain.calendar import MAX_TASKS, Calendar, CalendarForm, CreateCalendar, DeleteCalendar, TaskFilter
from domain.errors import NotFound
from domain.field_types import ValidationError
from domain.queries import Condition, Operator, Order
from domain.task import TASK, Status
from tests.builders import NOON


def calendar(id: int = 1, **facts: Any) -> Calendar:
    """Return a calendar."""
    usual = {"name": "The shop", "filter": "", "form": CalendarForm.EVENT, "created_at": NOON, "hash": b"h"}
    return Calendar(id=id, **{**usual, **facts})


def test_deleted_ones_make_room() -> None:
    """A new calendar has the highest id, so those that were deleted before are no longer needed."""
    there = [calendar(2), calendar(5, hash=None), calendar(7, hash=None)]
    made = CreateCalendar.parse({"name": "x"}, actor=None, secret="s")(there, NOON)
    assert (8, (5, 7)) == (made.calendar.id, made.dropped)


def test_a_deletion_leaves_the_id() -> None:
    """A deleted calendar stays without its hash, and can be deleted once only."""
    gone = DeleteCalendar(id=1)([calendar(1), calendar(2)], NOON)
    assert (calendar(1, hash=None), ()) == (gone.calendar, gone.dropped)
    with pytest.raises(NotFound, match="Calendar not found"):
        DeleteCalendar(id=1)([gone.calendar], NOON)


def test_what_it_shows() -> None:
    """The query has the conditions of the filter and a due date, and the latest come first."""
    query = calendar(filter="status=done").tasks
    status, due = TASK.by_name["status"], TASK.by_name["due"]
    expected = (Condition(status, Operator.EQ, Status.DONE), Condition(due, Operator.NULL, operand=False))
    assert (expected, (Order(due, descending=True),), MAX_TASKS) == (query.where, query.order, query.limit)


def test_a_filter_stays_as_it_was_written() -> None:
    """A filter is checked, and kept as text."""
    assert "status[in]=done%2Cpending" == TaskFilter().check(" status[in]=done%2Cpending ")
    with pytest.raises(ValidationError, match="bad_filter"):
        TaskFilter().check("status=nope")
