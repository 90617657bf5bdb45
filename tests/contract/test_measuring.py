"""Measuring every store: its log, its webhooks, its room."""

from datetime import timedelta
from typing import Any

import pytest

from domain.commands import Delete
from domain.measurements import Backlog, Measurements
from domain.ports import Store
from domain.task import TASK
from domain.webhook import WEBHOOK
from tests.builders import LATER, NOON, Clock, create
from tests.contract.steps import carry_out, edit, fill

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=10)


def log_of(found: Measurements) -> tuple[Any, ...]:
    """Return what was measured of the log."""
    return found.newest, found.oldest_at, found.backlogs


async def purge(store: Store, **facts: Any) -> None:
    """Purge until nothing is left to purge."""
    while await store.purge(LATER, **facts):
        pass


async def test_an_empty_store(store: Store) -> None:
    """A new store has no change."""
    assert (0, None, ()) == log_of(await store.measure())


async def test_the_log_is_measured(store: Store, other: Store, clock: Clock) -> None:
    """The newest change counts all that were ever made; the oldest one is the oldest that is kept."""
    await fill(store, TASK, {}, {})
    clock.now = LATER
    await fill(store, TASK, {})
    assert (3, NOON, ()) == log_of(await other.measure())
    await purge(store, changes_before=LATER)
    assert (3, LATER, ()) == log_of(await other.measure())
    await purge(store, changes_before=LATER + timedelta(seconds=1))
    assert (3, None, ()) == log_of(await other.measure())


async def test_backlogs(store: Store, clock: Clock) -> None:
    """A webhook lacks every change behind its position; a disabled one too, and a deleted one is not measured."""
    await carry_out(store, create(WEBHOOK), create(WEBHOOK), create(WEBHOOK))
    assert {0} == {each.changes for each in (await store.measure()).backlogs}
    clock.now = LATER
    await fill(store, TASK, {}, {})
    position = await store.head()
    await carry_out(store, edit(WEBHOOK, 2, enabled=False), Delete(entity_type=WEBHOOK, id=3))
    assert await store.deliveries.claim(1, "me", LEASE)
    await store.deliveries.record(1, "me", position=position)

    expected = (
        Backlog(webhook=2, enabled=False, changes=4, since=LATER),
        Backlog(webhook=1, enabled=True, changes=2, since=LATER),
    )
    assert expected == (await store.measure()).backlogs


async def test_a_backlog_that_is_no_longer_kept(store: Store, clock: Clock) -> None:
    """A webhook whose changes were purged still lacks them; the time is that of the first that is kept."""
    await carry_out(store, create(WEBHOOK))
    await fill(store, TASK, {})
    clock.now = LATER
    await fill(store, TASK, {})
    await purge(store, changes_before=LATER)
    assert (Backlog(webhook=1, enabled=True, changes=2, since=LATER),) == (await store.measure()).backlogs
    await purge(store, changes_before=LATER + timedelta(seconds=1))
    assert (Backlog(webhook=1, enabled=True, changes=2, since=None),) == (await store.measure()).backlogs
