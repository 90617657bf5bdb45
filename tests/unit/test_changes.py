"""The facts of one change, and of several together."""

from typing import Any

from attrs import evolve

from domain.changes import Action, Change, changed_since, differing
from domain.task import TASK, Status
from tests.builders import LATER, NOON, record, task


def change(version: int, *changed: str, action: Action = Action.UPDATED) -> Change[Any]:
    """Return the change that led to a version of task 1."""
    left = record(TASK, task(version=version))
    return Change(entity_type=TASK, action=action, record=left, changed=changed, at=NOON, request_id="r-1")


def test_differing_names_writable_fields() -> None:
    """Only fields that clients can set are named, in the order of the fields."""
    after = evolve(task(), version=2, updated_at=LATER, completed_at=LATER, status=Status.DONE, title="B")
    assert ("title", "status") == differing(task(), after)
    assert () == differing(task(), evolve(task(), version=2))


def test_what_changed_since_a_version() -> None:
    """The fields of all later changes are named once, in the order of the fields."""
    kept = [change(2, "notes"), change(3, "due", "title"), change(4, "due")]
    assert ("title", "due", "notes") == changed_since(TASK, kept, 1, now=4)
    assert ("due",) == changed_since(TASK, kept, 3, now=4)
    assert () == changed_since(TASK, kept, 4, now=4)


def test_a_version_that_is_yet_to_come() -> None:
    """Nothing has changed since a version that does not exist yet."""
    assert () == changed_since(TASK, [change(2, "notes")], 9, now=2)


def test_what_is_forgotten_may_have_changed_anything() -> None:
    """If the log does not reach back to the version, every writable field is named, even without any kept change."""
    assert TASK.writable_names == changed_since(TASK, [change(4, "due")], 2, now=4)
    assert TASK.writable_names == changed_since(TASK, [], 2, now=4)
    assert TASK.writable_names == changed_since(TASK, [], 3, now=4)
    assert ("due",) == changed_since(TASK, [change(4, "due")], 3, now=4)


def test_types() -> None:
    """A change is named by its entity type and its action."""
    actions = "created", "updated", "deleted", "restored"
    assert [f"task.{each}" for each in actions] == [change(1, action=each).type for each in Action]
