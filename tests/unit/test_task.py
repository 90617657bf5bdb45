"""The contract's table of a task."""

from datetime import date
from typing import Any

import pytest

from domain.commands import Create, Edit
from domain.errors import ValidationFailed
from domain.field_types import String
from domain.state import State
from domain.task import TASK, Priority, Status, Task
from tests.builders import LATER, NOON, create, task

TITLE, NOTES = (TASK.by_name[name].field_type for name in ("title", "notes"))


def test_a_new_task_has_the_defaults() -> None:
    """Only a title is needed; all else has its default."""
    made = Create.parse(TASK, {"title": " Sweep the floor "}).decide(State.of(next_id=7), NOON)
    assert made == task(id=7, status=Status.PENDING, priority=Priority.NORMAL, due=None, notes="", completed_at=None)


def test_every_field_can_be_set() -> None:
    """A task holds what it was given."""
    raw = {"title": "A", "status": "in_progress", "priority": "high", "due": "2026-12-31", "notes": "a\r\nb"}
    made = Create.parse(TASK, raw).decide(State.of(next_id=1), NOON)
    assert made == task(
        title="A", status=Status.IN_PROGRESS, priority=Priority.HIGH, due=date(2026, 12, 31), notes="a\nb"
    )


@pytest.mark.parametrize(("field_type", "least", "most"), [(TITLE, 1, 200), (NOTES, 0, 10_000)])
def test_limits_of_text(field_type: String, least: int, most: int) -> None:
    """The lengths are those of the contract."""
    assert (least, most) == (field_type.least, field_type.most)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({"title": "a" * 201}, "too_long"),
        ({"title": "a\nb"}, "forbidden_character"),
        ({"notes": "a" * 10_001}, "too_long"),
        ({"status": "finished"}, "not_a_choice"),
        ({"priority": "urgent"}, "not_a_choice"),
        ({"due": "2026-02-30"}, "not_a_date"),
        ({"due": "2026-01-31T12:00:00Z"}, "not_a_date"),
    ],
)
def test_what_a_task_cannot_hold(raw: dict[str, object], code: str) -> None:
    """Each field is held to its rule."""
    with pytest.raises(ValidationFailed) as caught:
        create(TASK, **raw)
    assert [(*raw, code)] == [(violation.field, violation.code) for violation in caught.value.violations]


def test_choices_sort_as_the_contract_lists_them() -> None:
    """Statuses and priorities have the order of their life, not of their letters."""
    assert ["pending", "in_progress", "done", "cancelled"] == [status.value for status in Status]
    assert ["low", "normal", "high"] == [priority.value for priority in Priority]


def edited(before: Any, **raw: object) -> Any:
    """Return a task after an edit an hour later."""
    return Edit.parse(TASK, 1, raw).decide(State.of(before), LATER)


def test_completion_is_timed() -> None:
    """A task is completed when its status becomes done, and no other edit moves that time."""
    assert LATER == edited(task(), status="done").completed_at
    done = task(status=Status.DONE, completed_at=NOON)
    assert NOON == edited(done, notes="more").completed_at
    assert NOON == edited(done, notes="more", status="done").completed_at


@pytest.mark.parametrize("status", ["pending", "in_progress", "cancelled", None])
def test_what_is_no_longer_done_was_not_completed(status: str | None) -> None:
    """Any other status, and null for the default, takes the time of completion away."""
    assert edited(task(status=Status.DONE, completed_at=NOON), status=status).completed_at is None


def test_born_done() -> None:
    """A task can be completed when it is made."""
    assert NOON == create(TASK, status="done").decide(State.of(next_id=1), NOON).completed_at


def test_completion_is_never_earlier_than_the_task() -> None:
    """If clocks differ, a task is completed no earlier than its latest update."""
    before = task(created_at=LATER, updated_at=LATER)
    after = Edit.parse(TASK, 1, {"status": "done"}).decide(State.of(before), NOON)
    assert LATER == after.updated_at == after.completed_at


def test_the_life_of_a_task() -> None:
    """It is started, completed, reopened and cancelled, each a version, with a time of completion while it is done."""
    started = task().start(at=LATER)
    done = started.complete(at=LATER)
    reopened = done.reopen(at=LATER)
    cancelled = reopened.cancel(at=LATER)
    steps = [(each.status, each.version, each.completed_at) for each in (started, done, reopened, cancelled)]
    assert [
        (Status.IN_PROGRESS, 2, None),
        (Status.DONE, 3, LATER),
        (Status.PENDING, 4, None),
        (Status.CANCELLED, 5, None),
    ] == steps


def test_completing_twice() -> None:
    """A completed task stays the same, and keeps its time of completion."""
    done = task().complete(at=NOON)
    assert done is done.complete(at=LATER)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("title", "", "required"),
        ("title", 5, "wrong_type"),
        ("status", "done", "not_a_choice"),
        ("due", "2026-12-31", "wrong_type"),
        ("due", NOON, "wrong_type"),
        ("completed_at", NOON, "contradiction"),
        ("created_at", NOON.replace(tzinfo=None), "not_a_time"),
        ("created_at", LATER, "contradiction"),
    ],
)
def test_no_invalid_task_can_be_made(field: str, value: object, code: str) -> None:
    """Values are Python's own, in a form for each field; text for a date, a choice or a time is for the edge."""
    with pytest.raises(ValidationFailed) as caught:
        task(**{field: value})
    assert [code] == [each.code for each in caught.value.violations]


def test_done_without_a_time() -> None:
    """A task that is done says when it became so."""
    with pytest.raises(ValidationFailed, match=r"^completed_at must be there when the status is done, and only then$"):
        task(status=Status.DONE, completed_at=None)


def test_what_was_checked_before_is_trusted() -> None:
    """One door makes an entity of whatever it is given, for rows that were checked when they were written."""
    values = {**vars(task()), "title": ""}
    assert "" == Task.trusted(values).title
