"""What is submitted so that a webhook is made or changed."""

from typing import Any

import pytest
from attrs import define, field

from adapters.memory.store import MemoryStore
from domain.commands import Refuse, Restore
from domain.errors import ValidationFailed
from domain.use_cases.subscribe import subscribe
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


async def test_a_new_webhook_starts_at_the_end(store: MemoryStore, addresses: Any) -> None:
    """Its address is asked about, and it is told of nothing that came before it."""
    await fill(store, WEBHOOK, {})
    command = create(WEBHOOK, url="https://a.example/")
    batch = await subscribe(command, "r-1", store=store, serializer=SERIALIZER, dispatcher=addresses)
    assert ((command,), "r-1", await store.head()) == (batch.commands, batch.request_id, batch.follow)
    assert ["https://a.example/"] == addresses.asked


async def test_one_that_is_there_stays_where_it_is(store: MemoryStore, addresses: Any) -> None:
    """So does one whose secret is rotated; one that comes back starts at the end."""
    await fill(store, WEBHOOK, {})
    before = await store.head()
    await fill(store, WEBHOOK, {})
    for command in (edit(WEBHOOK, 1, description="x"), Rotate(id=1)):
        batch = await subscribe(command, "r-1", store=store, serializer=SERIALIZER, dispatcher=addresses)
        assert ((command,), before) == (batch.commands, batch.follow)
    back = Restore(entity_type=WEBHOOK, id=7)
    batch = await subscribe(back, "r-1", store=store, serializer=SERIALIZER, dispatcher=addresses)
    assert await store.head() == batch.follow
    assert [] == addresses.asked


@pytest.mark.parametrize("command", [create(WEBHOOK, url=INSIDE), edit(WEBHOOK, 1, url=INSIDE)])
async def test_an_address_that_is_refused(store: MemoryStore, addresses: Any, command: Any) -> None:
    """The refusal takes the place of the command, so that a key is looked at first."""
    await fill(store, WEBHOOK, {})
    batch = await subscribe(command, "r-1", store=store, serializer=SERIALIZER, dispatcher=addresses)
    (refuse,) = batch.commands
    assert isinstance(refuse, Refuse)
    assert isinstance(refuse.error, ValidationFailed)
    assert [("url", "not_routable", "must be outside")] == [
        (each.field, each.code, each.reason) for each in refuse.error.violations
    ]


async def test_an_address_that_stays_passes(store: MemoryStore, addresses: Any) -> None:
    """Whatever has become of it since."""
    await carry_out(store, create(WEBHOOK, url=INSIDE))
    command = edit(WEBHOOK, 1, url=INSIDE, description="x")
    batch = await subscribe(command, "r-1", store=store, serializer=SERIALIZER, dispatcher=addresses)
    assert ((command,), []) == (batch.commands, addresses.asked)
