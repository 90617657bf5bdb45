"""Having a webhook sent a test, or a message once more, and the list of what was sent."""

from typing import Any

import pytest

from adapters.memory.store import MemoryStore
from domain.decisions import Outcome
from domain.deliveries import Delivery, DeliveryStatus
from domain.errors import BadCursor, NotFound
from domain.use_cases.list_deliveries import list_deliveries
from domain.use_cases.request_delivery import request_again, request_test
from domain.use_cases.write import Terms
from domain.webhook import WEBHOOK, RequireExists
from tests.builders import LATER, NOON, SERIALIZER, Clock
from tests.contract.steps import carry_out, edit, fill

pytestmark = pytest.mark.anyio

TERMS = Terms(request_id="r-1")


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
    await carry_out(store, RequireExists(id=1), deliveries=(failed, Delivery.test(1, id="waits", at=NOON)))
    return store


async def test_a_test(store: MemoryStore, dispatcher: Any) -> None:
    """It is pending then, also where the webhook is disabled."""
    await carry_out(store, edit(WEBHOOK, 1, enabled=False))
    answer = await request_test(1, TERMS, store=store, dispatcher=dispatcher)
    assert isinstance(answer, Outcome)
    assert ("r-1", (dispatcher.test(1),)) == (answer.request_id, answer.deliveries)
    assert dispatcher.test(1) == await store.deliveries.delivery(1, "new")


async def test_once_more(store: MemoryStore, dispatcher: Any) -> None:
    """A finished delivery comes again by a new delivery of the same message; a pending one is sent itself."""
    for id, expected in (("failed", ("new", "msg_failed")), ("waits", ("waits", "msg_waits"))):
        await request_again(1, id, TERMS, store=store, dispatcher=dispatcher)
        delivery = await store.deliveries.delivery(1, expected[0])
        assert delivery is not None
        assert (*expected, LATER) == (delivery.id, delivery.message_id, delivery.next_attempt_at)


@pytest.mark.parametrize(("webhook", "missing"), [(1, "delivery"), (2, "webhook")])
async def test_what_is_not_there(store: MemoryStore, dispatcher: Any, webhook: int, missing: str) -> None:
    """It is refused for what is not there: the webhook, or else the delivery."""
    refused = await request_again(webhook, "x", TERMS, store=store, dispatcher=dispatcher)
    assert isinstance(refused, Outcome)
    assert refused.failed is not None
    refusal = refused.results[refused.failed]
    assert isinstance(refusal, NotFound)
    assert missing == refusal.entity_type


async def test_no_test_without_a_webhook(store: MemoryStore, dispatcher: Any) -> None:
    """It is refused, and nothing is kept of it."""
    refused = await request_test(2, TERMS, store=store, dispatcher=dispatcher)
    assert isinstance(refused, Outcome)
    assert (0, None) == (refused.failed, await store.deliveries.delivery(2, "new"))


async def test_the_list(store: MemoryStore) -> None:
    """It is newest first, a part at a time; there is none behind what was not delivered, nor of what is not there."""
    assert ["waits", "failed"] == [each.id for each in await list_deliveries(1, before=None, limit=9, store=store)]
    assert ["failed"] == [each.id for each in await list_deliveries(1, before="waits", limit=9, store=store)]
    with pytest.raises(BadCursor):
        await list_deliveries(1, before="x", limit=9, store=store)
    with pytest.raises(NotFound):
        await list_deliveries(2, before=None, limit=9, store=store)
