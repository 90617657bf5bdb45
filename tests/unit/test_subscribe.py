"""Subscribing: which addresses are refused, and where a webhook starts."""

from typing import Any

import pytest
from attrs import define, field

from adapters.memory.store import MemoryStore
from domain.commands import Delete, Restore
from domain.decisions import Done, Outcome
from domain.errors import ValidationFailed
from domain.use_cases.subscribe import subscribe
from domain.use_cases.write import Terms
from domain.webhook import WEBHOOK, Rotate
from tests.builders import SERIALIZER, Clock, create
from tests.contract.steps import carry_out, edit, fill

pytestmark = pytest.mark.anyio

INSIDE = "http://inside.example/"


@define
class Addresses:
    """Lets nothing be sent to one address, and keeps which were asked about."""

    asked: list[str] = field(factory=list)

    async def refusal(self, url: str) -> str | None:
        """Refuse what is inside."""
        self.asked.append(url)
        return "must be outside" if url == INSIDE else None


@pytest.fixture
def store() -> MemoryStore:
    """Return a new store."""
    return MemoryStore(Clock(), SERIALIZER)


@pytest.fixture
def addresses() -> Any:
    """Return what knows addresses."""
    return Addresses()


async def subscribed(store: MemoryStore, addresses: Any, command: Any) -> Outcome:
    """Carry out a command on a webhook, and return what became of it."""
    terms = Terms(request_id="r-1")
    answer = await subscribe(command, terms, store=store, serializer=SERIALIZER, dispatcher=addresses)
    assert isinstance(answer, Outcome)
    return answer


async def test_a_new_webhook_starts_at_the_end(store: MemoryStore, addresses: Any) -> None:
    """Its address is checked, and it gets no earlier change."""
    await fill(store, WEBHOOK, {})
    head = await store.head()
    outcome = await subscribed(store, addresses, create(WEBHOOK, url="https://a.example/"))
    assert ("r-1", head) == (outcome.request_id, outcome.position)
    assert {2: head} == await store.deliveries.positions((2,))
    assert ["https://a.example/"] == addresses.asked


async def test_one_that_is_there_stays_where_it_is(store: MemoryStore, addresses: Any) -> None:
    """So does one whose secret is rotated; one that comes back starts at the end."""
    await fill(store, WEBHOOK, {})
    before = await store.head()
    await fill(store, WEBHOOK, {})
    for command in (edit(WEBHOOK, 1, description="x"), Rotate(id=1)):
        assert before == (await subscribed(store, addresses, command)).position
        assert {1: before} == await store.deliveries.positions((1,))
    await carry_out(store, Delete(entity_type=WEBHOOK, id=1))
    head = await store.head()
    assert head == (await subscribed(store, addresses, Restore(entity_type=WEBHOOK, id=1))).position
    assert {1: head} == await store.deliveries.positions((1,))
    assert [] == addresses.asked


@pytest.mark.parametrize("command", [create(WEBHOOK, url=INSIDE), edit(WEBHOOK, 1, url=INSIDE)])
async def test_an_address_that_is_refused(store: MemoryStore, addresses: Any, command: Any) -> None:
    """The store refuses it in its turn, so that a key is looked at first; nothing is written."""
    await fill(store, WEBHOOK, {})
    head = await store.head()
    (error,) = (await subscribed(store, addresses, command)).results
    assert isinstance(error, ValidationFailed)
    assert [("url", "not_routable", "must be outside")] == [
        (each.field, each.code, each.reason) for each in error.violations
    ]
    assert head == await store.head()


async def test_an_address_that_stays_passes(store: MemoryStore, addresses: Any) -> None:
    """Whatever has become of it since."""
    await carry_out(store, create(WEBHOOK, url=INSIDE))
    (result,) = (await subscribed(store, addresses, edit(WEBHOOK, 1, url=INSIDE, description="x"))).results
    assert isinstance(result, Done)
    assert [] == addresses.asked
