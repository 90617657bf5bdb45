"""Answers that are lost on the way: the assistant repeats the call, and it takes effect once."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from adapters.mcp.repetitions import MAX_REMEMBERED, Repetitions
from adapters.mcp.service import Service
from adapters.mcp.toolbox import Toolbox
from domain.ports import Store
from tests.http.service import serving
from tests.http.transport import ORIGIN, InProcess
from tests.mcp.assistant import Assistant, Unreliable, assisting

pytestmark = pytest.mark.anyio


@pytest.fixture
async def line(store: Store) -> AsyncIterator[Unreliable]:
    """Return the line to the service."""
    async with serving(store) as client:
        yield Unreliable(InProcess(client.service.app))


@pytest.fixture
async def assistant(line: Unreliable) -> AsyncIterator[Assistant]:
    """Return an assistant on that line, who has a product and has seen the tools."""
    async with httpx2.AsyncClient(transport=line) as http, assisting(http) as assistant:
        await assistant.call("create_product", name="Widget", price=10, stock=10)
        yield assistant


async def stock(assistant: Assistant) -> object:
    """Return how much there is of the product."""
    return (await assistant.call("get_product", id=1))["product"]["stock"]


async def test_a_broken_connection(assistant: Assistant, line: Unreliable) -> None:
    """One broken connection is not noticed: the request is sent again, and takes effect once."""
    line.loses = 1
    assert 7 == (await assistant.call("adjust_product_stock", id=1, change=-3))["product"]["stock"]
    line.loses = 1
    await assistant.call("create_task", title="Order paper")
    assert 1 == (await assistant.call("list_tasks"))["count"]


async def test_the_same_call_again(assistant: Assistant, line: Unreliable) -> None:
    """A call that is repeated after its answer was lost sells once, says so, and the next equal call sells again."""
    line.loses = 2
    lost = await assistant.refused("adjust_product_stock", id=1, change=-3)
    assert "It is not known whether this was done." in lost["hint"]
    again = await assistant.call("adjust_product_stock", id=1, change=-3)
    assert (7, True) == (again["product"]["stock"], again["replayed"])
    assert "nothing was done twice" in again["hint"]
    assert 4 == (await assistant.call("adjust_product_stock", id=1, change=-3))["product"]["stock"]


async def test_equal_calls(assistant: Assistant) -> None:
    """Two equal calls, both answered, are two sales: a shop sells three of the same twice a day."""
    await assistant.call("adjust_product_stock", id=1, change=-3)
    assert 4 == (await assistant.call("adjust_product_stock", id=1, change=-3))["product"]["stock"]


async def test_the_proposed_call(assistant: Assistant, line: Unreliable) -> None:
    """The call in `next` takes effect once, also where another process of this program carries it out."""
    line.loses = 2
    lost = await assistant.refused("create_task", title="Order paper")
    async with httpx2.AsyncClient(transport=line) as http, assisting(http) as later:
        assert 1 == (await later.follow(lost))["task"]["id"]
        assert 1 == (await later.follow(lost))["task"]["id"]
        assert 1 == (await later.call("list_tasks"))["count"]


async def test_another_call_is_no_repetition(assistant: Assistant, line: Unreliable) -> None:
    """After a lost answer, a call with other arguments is another call."""
    line.loses = 2
    await assistant.refused("adjust_product_stock", id=1, change=-3)
    assert 6 == (await assistant.call("adjust_product_stock", id=1, change=-1))["product"]["stock"]


async def test_an_edit(assistant: Assistant, line: Unreliable) -> None:
    """An edit that is repeated after its answer was lost is no conflict with itself."""
    line.loses = 2
    await assistant.refused("edit_product", id=1, version=1, price=11)
    assert 2 == (await assistant.call("edit_product", id=1, version=1, price=11))["product"]["version"]


async def test_a_service_that_is_down(assistant: Assistant, line: Unreliable) -> None:
    """While the service is down a call says so, and that nothing was done; later the same assistant goes on."""
    line.refuses = 3
    down = await assistant.refused("adjust_product_stock", id=1, change=-3)
    assert "the service at http://127.0.0.1:8000 does not answer" == down["error"]["detail"]
    assert "Nothing was done." in down["hint"]
    assert "no_answer" == (await assistant.refused("get_product", id=1))["error"]["code"]
    assert "next" not in await assistant.refused("list_tasks")
    assert 10 == await stock(assistant)
    assert 7 == (await assistant.follow(down))["product"]["stock"]


async def test_a_service_that_is_down_from_the_start(line: Unreliable) -> None:
    """A program that starts before the service has a service later."""
    async with httpx2.AsyncClient(transport=line) as http, assisting(http) as assistant:
        line.refuses = 1
        assert "does not answer" in (await assistant.refused("list_tasks"))["error"]["detail"]
        assert [] == (await assistant.call("list_tasks"))["tasks"]


async def test_a_cancel_that_comes_late(line: Unreliable) -> None:
    """A call whose cancel crossed with its answer is repeated as if the answer had been lost."""
    async with httpx2.AsyncClient(transport=line) as http:
        toolbox = Toolbox(Service(ORIGIN, http))
        arguments = {"title": "Order paper"}
        ids = []
        for call, is_cancelled in ((1, True), (2, False), (3, False)):
            result = await toolbox.call(call, "create_task", arguments)
            ids.append(result.document["task"]["id"])
            if is_cancelled:
                toolbox.cancelled(call)
        toolbox.cancelled("unknown")
    assert [1, 1, 2] == ids


def test_what_is_remembered() -> None:
    """Equal calls whose answers were lost are repeated one by one, and only the latest calls are remembered."""
    repetitions = Repetitions()
    first, second = (repetitions.key(id, "create_task", {"title": "x"}) for id in (1, 2))
    assert first != second
    repetitions.lose(1)
    repetitions.lose(2)
    again = [repetitions.key(id, "create_task", {"title": "x"}) for id in (3, 4, 5)]
    assert [first, second] == again[:2]
    assert again[2] not in (first, second)
    for number in range(MAX_REMEMBERED + 1):
        repetitions.key(number, "create_task", {"title": str(number)})
    repetitions.lose(5)
    assert again[2] != repetitions.key(6, "create_task", {"title": "x"})


async def test_an_own_key(assistant: Assistant) -> None:
    """An assistant may name the call himself, such as by the number of an order."""
    for _ in range(2):
        sold = await assistant.call("adjust_product_stock", id=1, change=-3, idempotency_key="order-7")
        assert 7 == sold["product"]["stock"]
    reused = await assistant.refused("adjust_product_stock", id=1, change=-4, idempotency_key="order-7")
    assert ("idempotency_key_reused", True) == (reused["error"]["code"], "choose a new one" in reused["hint"])
    wrong = await assistant.refused("adjust_product_stock", id=1, change=-4, idempotency_key="Bestellung ü")
    assert "idempotency_key: 'Bestellung ü' does not match" in wrong["error"]["detail"]
