"""Calendars, in every store."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain import calendar
from domain.access.access_key import Actor
from domain.access.key_text import hash_of
from domain.calendar import Calendar, CalendarForm, Calendars, CreateCalendar, DeleteCalendar, TooManyCalendars
from domain.errors import NotFound
from domain.ports import Store
from tests.builders import NOON, Clock
from tests.contract.steps import whole_log

pytestmark = pytest.mark.anyio


@pytest.fixture
def calendars(store: Store) -> Calendars:
    """Return the calendars as the first process sees them."""
    return store.calendars


@pytest.fixture
def others(other: Store) -> Calendars:
    """Return the calendars as another process sees them."""
    return other.calendars


def new(secret: str = "s1", **facts: Any) -> CreateCalendar:
    """Return a decision that creates a calendar."""
    usual = {"name": "The shop", "filter": "status=pending", "form": CalendarForm.TODO, "actor": Actor(3, "till 2")}
    return CreateCalendar(**{**usual, "secret": secret, **facts})


async def test_found_by_its_secret(calendars: Calendars, others: Calendars, clock: Clock) -> None:
    """A calendar is found by the hash of its secret, in every process, with all that was said of it."""
    clock.now += timedelta(microseconds=7)
    made = await calendars.change(new())
    bare = await calendars.change(new("s2", name="Ü", filter="", form=CalendarForm.EVENT, actor=None))
    expected = Calendar(
        id=1,
        name="The shop",
        filter="status=pending",
        form=CalendarForm.TODO,
        created_at=NOON + timedelta(microseconds=7),
        actor=Actor(3, "till 2"),
        hash=hash_of("s1"),
    )
    assert expected == made == await others.find(hash_of("s1"))
    assert (2, bare) == (bare.id, await others.find(hash_of("s2")))
    assert None is await others.find(hash_of("s3"))
    assert (made, bare) == await others.calendars()


async def test_a_deletion_holds_at_once(calendars: Calendars, others: Calendars) -> None:
    """The secret of a deleted calendar finds nothing in any process, and a second deletion neither."""
    await calendars.change(new())
    gone = await calendars.change(DeleteCalendar(id=1))
    assert (1, None) == (gone.id, gone.hash)
    assert None is await others.find(hash_of("s1"))
    assert () == await others.calendars()
    for id in (1, 2, 2**63 - 1):
        with pytest.raises(NotFound):
            await others.change(DeleteCalendar(id=id))


async def test_no_id_is_given_twice(calendars: Calendars) -> None:
    """A new calendar gets an id above all earlier ones, also if these were deleted."""
    for number in range(3):
        await calendars.change(new(f"s{number}"))
    for id in (1, 3):
        await calendars.change(DeleteCalendar(id=id))
    assert 4 == (await calendars.change(new("s4"))).id
    await calendars.change(DeleteCalendar(id=4))
    assert 5 == (await calendars.change(new("s5"))).id
    assert [2, 5] == [each.id for each in await calendars.calendars()]


async def test_a_dry_run_changes_nothing(calendars: Calendars) -> None:
    """A dry run returns the calendar as it would be, and stores nothing."""
    assert 1 == (await calendars.change(new(), dry_run=True)).id
    assert () == await calendars.calendars()
    made = await calendars.change(new())
    await calendars.change(DeleteCalendar(id=1), dry_run=True)
    assert (made,) == await calendars.calendars()


async def test_there_is_a_limit(calendars: Calendars, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full store takes another calendar only after one is deleted."""
    monkeypatch.setattr(calendar, "MAX_CALENDARS", 2)
    for number in range(2):
        await calendars.change(new(f"s{number}"))
    with pytest.raises(TooManyCalendars, match="2 calendars already"):
        await calendars.change(new("s3"))
    await calendars.change(DeleteCalendar(id=1))
    assert 3 == (await calendars.change(new("s3"))).id


async def test_concurrent_changes(calendars: Calendars, others: Calendars) -> None:
    """Decisions of several processes run one after another, so every calendar gets an id of its own."""
    made = await asyncio.gather(*((calendars, others)[n % 2].change(new(f"s{n}")) for n in range(10)))
    assert {*range(1, 11)} == {each.id for each in made}
    for number in range(10):
        found = await others.find(hash_of(f"s{number}"))
        assert found is not None


async def test_the_log_tells_nothing(store: Store, calendars: Calendars) -> None:
    """The making and the deletion of a calendar are no changes."""
    await calendars.change(new())
    await calendars.change(DeleteCalendar(id=1))
    assert [] == await whole_log(store)


def test_its_text_has_no_secret() -> None:
    """Neither a decision nor a calendar shows a secret or its hash when it is printed."""
    decision = new("the secret")
    made = decision((), NOON).calendar
    assert "the secret" not in repr(decision)
    assert made.hash is not None
    assert repr(made.hash) not in repr(made)
