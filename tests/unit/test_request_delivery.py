"""What is submitted so that a webhook is sent a test, or a message once more."""

from typing import Any

import pytest

from adapters.memory.store import MemoryStore
from domain.deliveries import Delivery, DeliveryStatus
from domain.errors import BadCursor, NotFound
from domain.use_cases.list_deliveries import list_deliveries
from domain.use_cases.request_delivery import request_again, request_test
from domain.webhook import WEBHOOK, RequireExists
from tests.builders import LATER, NOON, SERIALIZER, Clock
from tests.contract.steps import carry_out, fill, outcome

pytestmark = pytest.mark.anyio

NEEDS = (RequireExists(id=1),)


class Dispatcher:
    """Names every new delivery the same."""

    def test(self, webhook: int) -> Delivery:
        """Return a test."""
        return Delivery.test(webhook, id="new", at=LATER)

    def again(self, delivery: Delivery) -> Delivery:
        """Return a delivery once more."""
        return delivery.again(id="new", at=LATER)


@pytest.fixture
def dispatcher() -> Any:
    """Return what makes deliveries."""
    return Dispatcher()


@pytest.fixture
async def store() -> MemoryStore:
    """Return a store with one webhook, to which two deliveries were made."""
    store = MemoryStore(Clock(), SERIALIZER)
    await fill(store, WEBHOOK, {})
    failed = Delivery.test(1, id="failed", at=NOON).ended(DeliveryStatus.FAILED)
    await carry_out(store, *NEEDS, deliveries=(failed, Delivery.test(1, id="waits", at=NOON)))
    return store


async def test_a_test(dispatcher: Any) -> None:
    """It needs the webhook to be there, enabled or not."""
    batch = request_test(1, "r-1", dispatcher=dispatcher)
    assert (NEEDS, "r-1", (dispatcher.test(1),)) == (batch.commands, batch.request_id, batch.deliveries)


async def test_once_more(store: MemoryStore, dispatcher: Any) -> None:
    """What ended comes by a new delivery of the same message, what is pending by itself."""
    for id, expected in (("failed", ("new", "msg_failed")), ("waits", ("waits", "msg_waits"))):
        batch = await request_again(1, id, "r-1", store=store, dispatcher=dispatcher)
        (delivery,) = batch.deliveries
        assert (NEEDS, *expected, LATER) == (batch.commands, delivery.id, delivery.message_id, delivery.next_attempt_at)


@pytest.mark.parametrize(("webhook", "missing"), [(1, "delivery"), (2, "webhook")])
async def test_what_is_not_there(store: MemoryStore, dispatcher: Any, webhook: int, missing: str) -> None:
    """The batch is refused for what is not there: the webhook, or else the delivery."""
    batch = await request_again(webhook, "x", "r-1", store=store, dispatcher=dispatcher)
    refused = await outcome(store, *batch.commands, deliveries=batch.deliveries)
    assert refused.failed is not None
    refusal = refused.results[refused.failed]
    assert isinstance(refusal, NotFound)
    assert ((), missing) == (batch.deliveries, refusal.entity_type)


async def test_the_list(store: MemoryStore) -> None:
    """It is newest first, a part at a time; there is none behind what was not delivered, nor of what is not there."""
    assert ["waits", "failed"] == [each.id for each in await list_deliveries(1, before=None, limit=9, store=store)]
    assert ["failed"] == [each.id for each in await list_deliveries(1, before="waits", limit=9, store=store)]
    with pytest.raises(BadCursor):
        await list_deliveries(1, before="x", limit=9, store=store)
    with pytest.raises(NotFound):
        await list_deliveries(2, before=None, limit=9, store=store)
