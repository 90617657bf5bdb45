"""Edits that meet a change of somebody else: nothing is lost, and the difference is told."""

import pytest

from tests.http.service import Client
from tests.mcp.assistant import Assistant

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def product(assistant: Assistant) -> None:
    """Let the assistant make a product, and so know its first version."""
    await assistant.call("create_product", name="Widget", price=10, stock=5)


async def test_the_same_field(assistant: Assistant, service: Client) -> None:
    """Two values for one field are shown with the value that both started from, and the assistant has to decide."""
    await service.patch("/products/1", json={"price": 11, "description": "blue"})
    refused = await assistant.refused("edit_product", id=1, version=1, price=12)
    assert {
        "error": {"status": 412, "code": "precondition_failed", "detail": "version is 2, not 1"},
        "difference": {
            "price": {"base": 10, "mine": 12, "theirs": 11},
            "description": {"base": "", "theirs": "blue"},
        },
        "conflicts": ["price"],
        "current_version": 2,
        "hint": refused["hint"],
    } == refused
    assert "Decide on each value" in refused["hint"]
    assert "edit_product with version 2" in refused["hint"]


async def test_other_fields(assistant: Assistant, service: Client) -> None:
    """If the other changed other fields, the call in `next` keeps both changes."""
    await service.patch("/products/1", json={"description": "blue"})
    refused = await assistant.refused("edit_product", id=1, version=1, price=12)
    assert [] == refused["conflicts"]
    merged = (await assistant.follow(refused))["product"]
    assert (12, "blue", 3) == (merged["price"], merged["description"], merged["version"])


async def test_the_same_value(assistant: Assistant, service: Client) -> None:
    """It is no conflict that both wrote the same."""
    await service.patch("/products/1", json={"name": "Gadget"})
    refused = await assistant.refused("edit_product", id=1, version=1, name="Gadget")
    assert ([], {"base": "Widget", "mine": "Gadget", "theirs": "Gadget"}) == (
        refused["conflicts"],
        refused["difference"]["name"],
    )
    assert 2 == (await assistant.follow(refused))["product"]["version"]


async def test_a_delete(assistant: Assistant, service: Client) -> None:
    """What somebody changed is not deleted, and the assistant sees the change before he means it again."""
    await service.patch("/products/1", json={"stock": 50})
    refused = await assistant.refused("delete_product", id=1, version=1)
    assert {"stock": {"base": 5, "theirs": 50}} == refused["difference"]
    assert "next" not in refused
    assert "If you still mean it, call delete_product with version 2" in refused["hint"]


async def test_a_version_that_was_never_shown(assistant: Assistant, service: Client) -> None:
    """Without the version that was named there is no base, and the difference does without."""
    await service.post("/products", json={"name": "Gadget", "price": 3})
    await service.patch("/products/2", json={"price": 4})
    refused = await assistant.refused("edit_product", id=2, version=1, price=5)
    assert {"price": {"mine": 5, "theirs": 4}} == refused["difference"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_product", {"id": 1}),
        ("list_products", {}),
        ("list_changes", {}),
        ("get_product_history", {"id": 1}),
        ("adjust_product_stock", {"id": 1, "change": 0}),
        ("restore_product", {"id": 1, "version": 2}),
    ],
)
async def test_every_way_to_learn_a_version(
    assistant: Assistant, service: Client, tool: str, arguments: dict[str, object]
) -> None:
    """Whatever showed the version that an edit names, its difference has the base, with long texts in whole."""
    long = "d" * 1000
    await service.patch("/products/1", json={"description": long})
    if tool == "restore_product":
        await service.delete("/products/1")
        arguments = {"id": 1, "version": 3}
    await assistant.call(tool, **arguments)
    version = (await service.get("/products/1")).json()["version"]
    await service.patch("/products/1", json={"description": "x"})
    refused = await assistant.refused("edit_product", id=1, version=version, price=5)
    assert {"base": long, "theirs": "x"} == refused["difference"]["description"]


async def test_a_version_is_needed(assistant: Assistant) -> None:
    """Nothing can be edited, deleted or restored without the version that was read."""
    for tool in ("edit_product", "delete_product", "restore_product"):
        refused = await assistant.refused(tool, id=1)
        assert "arguments: 'version' is a required property" == refused["error"]["detail"]


async def test_stock_needs_no_version(assistant: Assistant, service: Client) -> None:
    """A sale counts at once with an edit and with other sales."""
    await service.patch("/products/1", json={"price": 11})
    await service.post("/products/1/stock", json={"change": -1})
    sold = (await assistant.call("adjust_product_stock", id=1, change=-3, reason="sold"))["product"]
    assert (1, 11, 4) == (sold["stock"], sold["price"], sold["version"])
