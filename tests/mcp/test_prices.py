"""Prices: exact decimals in both directions, as the REST API has them."""

import json
import re
from decimal import Decimal

import pytest

from tests.http.service import Client
from tests.mcp.assistant import Assistant

pytestmark = pytest.mark.anyio

PRICES = ["0", "0.01", "0.07", "0.1", "0.29", "1.10", "4.35", "9.95", "12", "1234567.89", "999999999.99"]


def written(text: str) -> list[str]:
    """Return the prices in a JSON text, as they are written there."""
    return re.findall(r'"price": ?([^,}]+)', text)


@pytest.mark.parametrize("price", PRICES)
async def test_as_the_service_writes_them(assistant: Assistant, service: Client, price: str) -> None:
    """A price comes out digit by digit as the service writes it, however it was sent, and wherever it is shown."""
    for sent in (json.loads(price), price):
        await assistant.call("create_product", name="Widget", price=sent)
    (answered,) = written((await service.get("/products/2")).text)
    assert Decimal(price) == Decimal(answered)
    for tool, arguments in (("list_products", {}), ("get_product", {"id": 2}), ("list_changes", {})):
        await assistant.call(tool, **arguments)
        told = assistant.last.model_dump(mode="json")["content"][0]["text"], assistant.last.model_dump_json()
        assert [{answered}, {answered}] == [{*written(each.replace("\\", ""))} for each in told]
    found = await assistant.call("list_products", where=[{"field": "price", "is": "equal", "value": sent}])
    assert 2 == found["count"]


@pytest.mark.parametrize("price", [9.999, 1.005, 0.1 + 0.2, "9.999", 1e-7, "1e2", -1, 1e9, True, "9,99"])
async def test_never_rounded(assistant: Assistant, service: Client, price: object) -> None:
    """What is no price in cents is refused, as the service refuses it."""
    await assistant.refused("create_product", name="Widget", price=price)
    assert 0 == (await service.get("/products")).json()["count"]


async def test_their_schema_is_that_of_the_service(assistant: Assistant, service: Client) -> None:
    """A tool takes the numbers and texts that the OpenAPI document lets clients send."""
    number, text = (await service.get("/openapi.json")).json()["components"]["schemas"]["ProductCreate"]["properties"][
        "price"
    ]["anyOf"]
    shown = (await assistant.tools())["create_product"].input_schema["properties"]["price"]["anyOf"]
    assert [number, {"type": text["type"]}] == shown
    assert '"maximum": 999999999.99}' in json.dumps(shown)


async def test_one_price_in_two_forms(assistant: Assistant, service: Client) -> None:
    """It is no conflict that both set the same price, one as a number and one as a text."""
    await assistant.call("create_product", name="Widget", price=10)
    await service.patch("/products/1", json={"price": 12.5})
    refused = await assistant.refused("edit_product", id=1, version=1, price="12.50")
    assert ([], {"base": 10, "mine": "12.50", "theirs": 12.5}) == (refused["conflicts"], refused["difference"]["price"])
    assert 2 == (await assistant.follow(refused))["product"]["version"]
