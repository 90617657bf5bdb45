"""Many operations in one request, either all or nothing, or each on its own."""

from typing import Any

import pytest

from domain.decisions import MAX_COMMANDS
from domain.product import MAX_STOCK
from tests.http.service import Client
from tests.http.steps import COLLECTIONS, MINIMAL, NAME, asked, got, log, made, violations

pytestmark = pytest.mark.anyio

ALL = pytest.mark.parametrize("collection", COLLECTIONS)
CREATE = {"op": "create", "body": MINIMAL["tasks"]}
TAKEN = {"op": "create", "body": {**MINIMAL["products"], "sku": "A-1"}}


async def bulk(client: Client, *operations: Any, collection: str = "tasks", **facts: Any) -> Any:
    """Send operations."""
    return await client.post(f"/{collection}/bulk", json={"operations": operations, **facts})


@ALL
@pytest.mark.parametrize(("atomic", "status"), [({}, 200), ({"atomic": True}, 200), ({"atomic": False}, 207)])
async def test_all_succeed(client: Client, collection: str, atomic: dict[str, bool], status: int) -> None:
    """Each operation sees the effects of those before it, and has the same result as it would have alone."""
    await made(client, collection)
    await made(client, collection)

    response = await bulk(
        client,
        {"op": "create", "body": MINIMAL[collection]},
        {"op": "update", "id": 1, "if_match": 1, "body": {NAME[collection]: "New"}},
        {"op": "update", "id": 1, "if_match": 2, "body": {NAME[collection]: "New"}},
        {"op": "update", "id": 3, "body": {NAME[collection]: "Newer"}},
        {"op": "delete", "id": 2, "if_match": 1},
        collection=collection,
        **atomic,
    )

    assert status == response.status_code
    results = response.json()["results"]
    assert [201, 200, 200, 200, 200] == [each["status"] for each in results]
    created, edited, unchanged, newer, gone = (each["body"] for each in results)
    assert (3, 1) == (created["id"], created["version"])
    assert edited == unchanged == await got(client, f"/{collection}/1")
    assert newer == await got(client, f"/{collection}/3")
    assert (2, 2) == (gone["deleted"]["id"], gone["deleted"]["version"])
    entity_types = ["created", "created", "created", "updated", "updated", "deleted"]
    assert entity_types == [each["type"].partition(".")[2] for each in await log(client)]


async def test_one_failure_undoes_all(client: Client) -> None:
    """By default the first failure is the response, with its index, and nothing is written."""
    await made(client, "tasks")
    before = await log(client)
    current = await got(client, "/tasks/1")

    failing: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"op": "delete", "id": 9}, (404, "not_found")),
        ({"op": "delete", "id": 1, "if_match": 2}, (412, "precondition_failed")),
        ({"op": "update", "id": 1, "body": {"version": 2}}, (412, "precondition_failed")),
    ]
    for operation, expected in failing:
        response = await bulk(client, CREATE, CREATE, operation, {"op": "delete", "id": 8})
        assert expected == asked(response)
        assert 2 == response.json()["failed_index"]
        if expected[0] == 412:
            assert (current, []) == (response.json()["current"], response.json()["changed"])
    assert before == await log(client)


async def test_precondition_on_what_the_same_request_changed(client: Client) -> None:
    """A version that an earlier operation made stale fails. If all is undone, no response shows the newer one."""
    await made(client, "tasks")
    operations = {"op": "update", "id": 1, "body": {"notes": "n"}}, {"op": "delete", "id": 1, "if_match": 1}

    atomic = await bulk(client, *operations)
    assert (412, "precondition_failed") == asked(atomic)
    assert (1, []) == (atomic.json()["failed_index"], atomic.json()["changed"])
    assert "an earlier operation of this request had changed" in atomic.json()["detail"]
    assert atomic.json()["current"] == await got(client, "/tasks/1")

    each = (await bulk(client, *operations, atomic=False)).json()["results"]
    assert [200, 412] == [result["status"] for result in each]
    assert ["notes"] == each[1]["body"]["changed"]


async def test_unique_values_within_one_request(client: Client) -> None:
    """Only one product in a request can have a sku. A sku that was given up in the request is free again."""
    twice = await bulk(client, TAKEN, TAKEN, collection="products")
    assert (409, "already_exists") == asked(twice)
    assert "an earlier operation of this request had taken sku A-1" == twice.json()["detail"]
    assert 200 == (await bulk(client, TAKEN, collection="products")).status_code
    give_up = {"op": "delete", "id": (await got(client, "/products"))["ids"][0]}

    assert 200 == (await bulk(client, give_up, TAKEN, collection="products")).status_code


async def test_every_failure_is_told(client: Client) -> None:
    """A failed atomic request names every operation that fails, and the first failure is the problem itself."""
    await made(client, "tasks")
    operations = [CREATE, {"op": "delete", "id": 9}, 5, {"op": "create", "body": {"title": " ", "due": "soon"}}, CREATE]

    for prefer in ({}, {"Prefer": "validate-only"}):
        response = await client.post("/tasks/bulk", json={"operations": operations}, headers=prefer)
        assert (404, "not_found") == asked(response)
        problem = response.json()
        failures = problem.pop("failures")
        assert 1 == problem.pop("failed_index")
        assert [(1, 404), (2, 422), (3, 422)] == [(each["index"], each["status"]) for each in failures]
        assert problem == failures[0]["body"]
        pointers = [[each["pointer"] for each in failure["body"]["errors"]] for failure in failures[1:]]
        assert [["/operations/2/op"], ["/operations/3/body/title", "/operations/3/body/due"]] == pointers


@pytest.mark.parametrize("atomic", [True, False])
async def test_very_many_violations(client: Client, atomic: bool) -> None:
    """Each operation that fails tells something; all together do not tell more than somebody could read."""
    wrong = {"op": "create", "body": {"title": "a", **{f"f{number}": 1 for number in range(20)}}}

    answer = (await client.post("/tasks/bulk", json={"operations": [wrong] * 1000, "atomic": atomic})).json()

    problems = [each["body"] for each in (answer["failures"] if atomic else answer["results"])]
    assert 1000 == len(problems)
    assert {5} == {len(each["errors"]) for each in problems}
    assert {15} == {each["errors_omitted"] for each in problems}


async def test_restoring(client: Client) -> None:
    """A deleted entity can be restored, even if the same request deleted it."""
    await made(client, "tasks")
    operations = [{"op": "delete", "id": 1}, {"op": "restore", "id": 1, "if_match": 2}]

    response = await bulk(client, *operations, {"op": "restore", "id": 1}, atomic=False)

    assert [200, 200, 409] == [each["status"] for each in response.json()["results"]]
    assert 3 == (await got(client, "/tasks/1"))["version"]
    assert "task.restored" == (await log(client))[-1]["type"]


async def test_moving_stock(client: Client) -> None:
    """Stock moves with its reasons, and each operation sees those before it. A violation has its pointer."""
    await made(client, "products", stock=5)
    move = {"op": "stock", "id": 1, "change": -2, "reason": "sold"}

    results = (await bulk(client, move, move, collection="products")).json()["results"]
    assert [3, 1] == [each["body"]["stock"] for each in results]
    assert ["sold", "sold"] == [each["reason"] for each in (await log(client))[1:]]
    assert (409, "insufficient_stock") == asked(await bulk(client, move, collection="products"))
    for wrong, expected in (
        ({"change": "1"}, ("/operations/0/change", "wrong_type")),
        ({"change": MAX_STOCK}, ("/operations/0/change", "out_of_range")),
        ({"reason": 5}, ("/operations/0/reason", "wrong_type")),
        ({"change": None}, ("/operations/0/change", "required")),
    ):
        assert [expected] == violations(await bulk(client, {**move, **wrong}, collection="products"))


async def test_upserting(client: Client) -> None:
    """An upsert edits the product with the sku, or creates it, even if the same request made it."""
    body = {**MINIMAL["products"], "sku": "A-1"}
    new, price, same = ({"op": "upsert", "body": {**body, **fields}} for fields in ({}, {"price": 5}, {"price": 5}))

    results = (await bulk(client, new, price, same, collection="products")).json()["results"]
    assert [(201, 1, 1), (200, 1, 2), (200, 1, 2)] == [
        (each["status"], each["body"]["id"], each["body"]["version"]) for each in results
    ]
    some = {"op": "upsert", "body": {"sku": "A-1", "stock": 7}}
    response = await bulk(client, some, new, collection="products")
    assert [(3, 7), (4, 7)] == [(each["body"]["version"], each["body"]["stock"]) for each in response.json()["results"]]
    missing = {"op": "upsert", "body": {"sku": "B-2", "stock": 7}}, {"op": "upsert", "body": {"name": "C", "price": 1}}
    failures = (await bulk(client, *missing, collection="products")).json()["failures"]
    assert [["/operations/0/body/name", "/operations/0/body/price"], ["/operations/1/body/sku"]] == [
        [each["pointer"] for each in failure["body"]["errors"]] for failure in failures
    ]
    echoed = {"op": "upsert", "body": {**(await got(client, "/products/1")), "version": 3}}
    assert (412, "precondition_failed") == asked(await bulk(client, echoed, collection="products"))


async def test_each_for_itself(client: Client) -> None:
    """Without atomicity each operation has its own result, and a failed one changes nothing."""
    await made(client, "tasks")

    response = await bulk(
        client,
        {"op": "delete", "id": 9},
        {"op": "update", "id": 1, "body": {"title": "New"}},
        {"op": "update", "id": 1, "if_match": 1, "body": {"title": "Newer"}},
        {"op": "create", "body": {"title": " "}},
        {"op": "nope"},
        CREATE,
        atomic=False,
    )

    assert 207 == response.status_code
    results = response.json()["results"]
    assert [404, 200, 412, 422, 422, 201] == [each["status"] for each in results]
    assert ["not_found", "precondition_failed"] == [results[index]["body"]["code"] for index in (0, 2)]
    assert (2, ["title"]) == (results[2]["body"]["current"]["version"], results[2]["body"]["changed"])
    assert "/operations/3/body/title" == results[3]["body"]["errors"][0]["pointer"]
    assert "/operations/4/op" == results[4]["body"]["errors"][0]["pointer"]
    assert {"title": "New", "version": 2}.items() <= (await got(client, "/tasks/1")).items()
    assert 3 == len(await log(client))


async def test_results_of_failures_are_whole_problems(client: Client) -> None:
    """A problem among the results has every field of a problem response."""
    (result,) = (await bulk(client, {"op": "delete", "id": 9}, atomic=False)).json()["results"]

    alone = (await client.delete("/tasks/9")).json()
    assert {**alone, "request_id": ""} == {**result["body"], "request_id": ""}


SHAPES: list[tuple[Any, list[tuple[str, str]]]] = [
    ({}, [("/operations", "required")]),
    ({"operations": None}, [("/operations", "required")]),
    ({"operations": {}}, [("/operations", "wrong_type")]),
    ({"operations": []}, [("/operations", "out_of_range")]),
    ({"operations": [CREATE] * (MAX_COMMANDS + 1)}, [("/operations", "out_of_range")]),
    ({"operations": [CREATE], "atomic": 1}, [("/atomic", "wrong_type")]),
    ({"operations": [CREATE], "atomic": None}, [("/atomic", "wrong_type")]),
    ({"operations": [CREATE], "nope": 1}, [("/nope", "unknown_field")]),
    ({"operations": [CREATE, 5]}, [("/operations/1/op", "wrong_type")]),
    ({"operations": [{}]}, [("/operations/0/op", "not_a_choice")]),
    ({"operations": [{"op": ["create"]}]}, [("/operations/0/op", "not_a_choice")]),
    ({"operations": [{"op": "stock", "id": 1, "change": 1}]}, [("/operations/0/op", "not_a_choice")]),
    ({"operations": [{"op": "upsert", "body": {}}]}, [("/operations/0/op", "not_a_choice")]),
    ({"operations": [{"op": "restore"}]}, [("/operations/0/id", "required")]),
    ({"operations": [{"op": "create"}]}, [("/operations/0/body", "required")]),
    ({"operations": [{"op": "create", "body": []}]}, [("/operations/0/body", "wrong_type")]),
    ({"operations": [{**CREATE, "id": 1}]}, [("/operations/0/id", "unknown_field")]),
    ({"operations": [{"op": "update", "body": {}}]}, [("/operations/0/id", "required")]),
    ({"operations": [{"op": "delete", "id": 1, "body": {}}]}, [("/operations/0/body", "unknown_field")]),
    ({"operations": [{"op": "delete", "id": "1"}]}, [("/operations/0/id", "wrong_type")]),
    ({"operations": [{"op": "delete", "id": 0}]}, [("/operations/0/id", "out_of_range")]),
    ({"operations": [{"op": "delete", "id": 10**19}]}, [("/operations/0/id", "out_of_range")]),
    ({"operations": [{"op": "delete", "id": True}]}, [("/operations/0/id", "wrong_type")]),
    ({"operations": [{"op": "delete", "id": 1, "if_match": '"1"'}]}, [("/operations/0/if_match", "wrong_type")]),
    (
        {"operations": [{"op": "create", "body": {"a/b": 1}}]},
        [("/operations/0/body/title", "required"), ("/operations/0/body/a~1b", "unknown_field")],
    ),
]


async def test_shapes(client: Client) -> None:
    """A malformed request or operation gets an error with its pointer, and nothing is written."""
    for body, expected in SHAPES:
        response = await client.post("/tasks/bulk", json=body)
        assert expected == violations(response), str(body)[:200]
    assert [] == await log(client)


async def test_a_thousand(client: Client) -> None:
    """A request can hold as many operations as the limit allows."""
    response = await bulk(client, *[CREATE] * MAX_COMMANDS)

    assert [*range(1, MAX_COMMANDS + 1)] == [each["body"]["id"] for each in response.json()["results"]]
    assert MAX_COMMANDS == (await got(client, "/tasks?total=true&limit=1"))["total"]


async def test_bulk_is_written_only(client: Client) -> None:
    """The bulk path accepts POST only, and is not an entity."""
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        response = await client.request(method, "/tasks/bulk")
        assert (405, "POST, OPTIONS") == (response.status_code, response.headers["allow"])
