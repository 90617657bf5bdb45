"""Slots are limited, and go from client to client."""

import asyncio

import pytest

from adapters.http.fairness.slots import Slots

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


async def waiting(slots: Slots, *clients: str) -> list[asyncio.Task[None]]:
    """Return tasks that wait for a slot, in this order."""
    tasks = [asyncio.create_task(slots.take(each)) for each in clients]
    await asyncio.sleep(0)
    return tasks


async def test_no_more_than_there_are() -> None:
    """Those beyond the limit wait, and each slot that is given back goes to one of them."""
    slots = Slots(2)
    first = await waiting(slots, "a", "b", "c", "d")

    assert [True, True, False, False] == [each.done() for each in first]
    slots.give_back()
    await first[2]
    assert not first[3].done()
    slots.give_back()
    await first[3]
    slots.give_back()
    slots.give_back()
    assert [True, True, False] == [each.done() for each in await waiting(slots, "a", "b", "c")]


async def test_clients_have_turns() -> None:
    """A client with many callers delays the only caller of another client by one of its own."""
    slots, order = Slots(1), list[str]()
    await slots.take("busy")

    async def use(client: str, name: str) -> None:
        await slots.take(client)
        order.append(name)
        slots.give_back()

    callers = [("busy", "1"), ("busy", "2"), ("busy", "3"), ("other", "A"), ("third", "B"), ("other", "C")]
    tasks = [asyncio.create_task(use(*each)) for each in callers]
    await asyncio.sleep(0)
    slots.give_back()
    await asyncio.gather(*tasks)

    assert ["1", "A", "B", "2", "C", "3"] == order


@pytest.mark.parametrize("has_its_slot", [False, True])
async def test_who_leaves_takes_no_slot(has_its_slot: bool) -> None:
    """A slot is passed on if its owner has left, or leaves just when the slot comes."""
    slots = Slots(1)
    await slots.take("a")
    leaving, staying = await waiting(slots, "a", "a")
    if has_its_slot:
        slots.give_back()
    leaving.cancel()
    if not has_its_slot:
        slots.give_back()

    await staying
    assert leaving.cancelled()
