"""Tasks as to-dos."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import NotFound, ValidationFailed
from domain.field_types import String
from domain.state import State
from domain.task import Status
from domain.todo import MAX_ORDER, EditTodo, Todo, create_todo, order_in, with_order
from tests.builders import NOON, task

LATER = NOON + timedelta(hours=1)
NOTES = String(0, 10_000, lines=True)
ORDERS = st.none() | st.integers(-MAX_ORDER, MAX_ORDER)


@pytest.mark.parametrize(
    ("notes", "order"),
    [
        ("", None),
        ("order: 5", 5),
        ("Oat milk\norder: -5", -5),
        ("order: 5\nOat milk", None),
        ("Reorder: 5", None),
        ("order: 5.0", None),
        ("order: 05", 5),
        (f"order: {MAX_ORDER}", MAX_ORDER),
        (f"order: {MAX_ORDER + 1}", None),
        ("order: " + "9" * 5000, None),
    ],
)
def test_order_in_notes(notes: str, order: int | None) -> None:
    """The order is the whole last line of the notes, and nothing else is."""
    assert order == order_in(notes)


@given(notes=st.text("ab \n:or5", max_size=20).map(NOTES.check), orders=st.lists(ORDERS, min_size=1))
def test_notes_survive_any_order(notes: str, orders: list[int | None]) -> None:
    """The last order that was set counts, and the other lines stay, whatever they are."""
    others = with_order(notes, None)
    for each in orders:
        notes = NOTES.check(with_order(notes, each))
        if each is not None:
            assert each == order_in(notes)
            assert NOTES.check(others) == NOTES.check(notes.rpartition("order: ")[0])


def test_a_new_one() -> None:
    """A new to-do becomes a task; what it completes is done. A URL that is sent back means nothing."""
    made = create_todo({"title": " Buy milk ", "completed": True, "order": 7, "url": "x"}).decide(State.of(), NOON)
    assert ("Buy milk", Status.DONE, "order: 7", NOON) == (made.title, made.status, made.notes, made.completed_at)
    assert Todo(id=1, title="Buy milk", completed=True, order=7) == Todo.of(made)
    bare = create_todo({"title": "x"}).decide(State.of(), NOON)
    assert (Status.PENDING, "") == (bare.status, bare.notes)


@pytest.mark.parametrize(
    ("raw", "violations"),
    [
        ({}, [("title", "required")]),
        (
            {"title": "", "completed": "yes", "order": "1"},
            [("title", "required"), ("completed", "wrong_type"), ("order", "wrong_type")],
        ),
        ({"title": "x", "order": MAX_ORDER + 1}, [("order", "out_of_range")]),
        ({"title": "x", "due": "2026-12-31"}, [("due", "unknown_field")]),
    ],
)
def test_refused(raw: dict[str, object], violations: list[tuple[str, str]]) -> None:
    """One error has all violations."""
    with pytest.raises(ValidationFailed) as refused:
        create_todo(raw)
    assert violations == [(each.field, each.code) for each in refused.value.violations]


@pytest.mark.parametrize(
    ("before", "completed", "after"),
    [
        (Status.PENDING, True, Status.DONE),
        (Status.IN_PROGRESS, True, Status.DONE),
        (Status.IN_PROGRESS, False, Status.IN_PROGRESS),
        (Status.CANCELLED, True, Status.CANCELLED),
        (Status.CANCELLED, False, Status.PENDING),
        (Status.DONE, False, Status.PENDING),
    ],
)
def test_completing(before: Status, completed: bool, after: Status) -> None:
    """A status changes only if it says something else than the to-do."""
    some = task(status=before)
    edited = EditTodo.parse(1, {"completed": completed}).decide(State.of(some), LATER)
    assert (after, before is after) == (edited.status, edited is some)


def test_an_edit_leaves_the_rest() -> None:
    """Only what is sent changes; null takes the order away, and a title cannot be null."""
    some = task(title="Buy milk", notes="Oat milk\norder: 5", status=Status.IN_PROGRESS)
    moved = EditTodo.parse(1, {"order": 6, "url": "x"}).decide(State.of(some), LATER)
    assert ("Oat milk\norder: 6", "Buy milk", Status.IN_PROGRESS) == (moved.notes, moved.title, moved.status)
    assert "Oat milk" == EditTodo.parse(1, {"order": None}).decide(State.of(some), LATER).notes
    assert some is EditTodo.parse(1, {}).decide(State.of(some), LATER)
    with pytest.raises(ValidationFailed, match="title is required"):
        EditTodo.parse(1, {"title": None})
    with pytest.raises(NotFound):
        EditTodo.parse(2, {}).decide(State.of(some), LATER)
