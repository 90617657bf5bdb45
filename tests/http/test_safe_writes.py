"""Safe writes: the client names the version that it means, in a header or in the body."""

from typing import Any

import pytest

from domain.ports import Store
from tests.http.service import Client, serving
from tests.http.steps import COLLECTIONS, MINIMAL, NAME, asked, got, log, made, prepare, violations

pytestmark = pytest.mark.anyio

ALL = pytest.mark.parametrize("collection", COLLECTIONS)
WRITES: list[tuple[str, str, Any]] = [
    ("PUT", "/tasks/1", {"title": "New"}),
    ("PATCH", "/tasks/1", {"title": "New"}),
    ("DELETE", "/tasks/1", None),
    ("POST", "/products/1/stock", {"change": 1}),
    ("POST", "/tasks/2/restore", None),
]
EACH_WRITE = pytest.mark.parametrize(("method", "path", "body"), WRITES)


@EACH_WRITE
@pytest.mark.parametrize("tag", ['"2"', 'W/"2"', '"2-gzip"', 'W/"2-gzip"', '"1", "2"', ' "x" , W/"2"', "*", " * "])
async def test_if_match_holds(client: Client, method: str, path: str, body: Any, tag: str) -> None:
    """Every spelling of the version's etag, alone or among others, lets the write pass. So does `*`."""
    await prepare(client)

    response = await client.request(method, path, json=body, headers={"If-Match": tag})

    assert 200 == response.status_code, response.text


@EACH_WRITE
async def test_if_match_fails(client: Client, method: str, path: str, body: Any) -> None:
    """Any other etag gets an error with the current entity, and nothing changes."""
    await prepare(client)
    before = await log(client)

    for tag in ('"1"', 'W/"1"', '"3"', '"1-gzip"', '"1", "x"'):
        response = await client.request(method, path, json=body, headers={"If-Match": tag})
        assert (412, "precondition_failed") == asked(response), tag
        assert 2 == response.json()["current"]["version"]
    assert before == await log(client)


@EACH_WRITE
@pytest.mark.parametrize("tag", ['"02"', '"x"', '""', f'"{2**63}"', f'"{"9" * 23}"', '"1.x"'])
async def test_if_match_names_no_version(client: Client, method: str, path: str, body: Any, tag: str) -> None:
    """An etag without a version is repeated in the error. It lists no changed fields, as there is no such version."""
    await prepare(client)

    response = await client.request(method, path, json=body, headers={"If-Match": tag})

    assert (412, "precondition_failed") == asked(response)
    told = response.json()
    assert (f"version is 2, and {tag} names no version", []) == (told["detail"], told["changed"])
    assert 2 == told["current"]["version"]


@EACH_WRITE
async def test_if_match_is_malformed(client: Client, method: str, path: str, body: Any) -> None:
    """A malformed list of etags gets an error. If it were ignored, an update could be lost."""
    await prepare(client)

    for tag in ("2", "", "W/2", 'w/"2"', '"2', '"2" "3"', "**", '*, "2"', '"a b"'):
        response = await client.request(method, path, json=body, headers={"If-Match": tag})
        assert (400, "bad_header") == asked(response), tag


@EACH_WRITE
async def test_if_none_match_is_for_reading(client: Client, method: str, path: str, body: Any) -> None:
    """A write with If-None-Match gets an error and is not done."""
    await prepare(client)
    before = await log(client)

    for tag in ("*", '"2"', '"1"', ""):
        response = await client.request(method, path, json=body, headers={"If-None-Match": tag})
        assert (400, "bad_header") == asked(response), tag
    assert before == await log(client)


@ALL
async def test_lost_update_is_told_with_what_changed(client: Client, collection: str) -> None:
    """A 412 has the current entity and the names of the fields that changed since the named version."""
    await made(client, collection)
    other = "notes" if collection == "tasks" else "description"
    for change in ({NAME[collection]: "Mine"}, {other: "x"}, {NAME[collection]: "Theirs"}):
        current = (await client.put(f"/{collection}/1", json=change)).json()

    for version, changed in ((1, [NAME[collection], other]), (2, [NAME[collection], other]), (3, [NAME[collection]])):
        response = await client.put(f"/{collection}/1", json={}, headers={"If-Match": f'"{version}"'})
        assert (412, "precondition_failed") == asked(response)
        assert (current, changed) == (response.json()["current"], response.json()["changed"])


@EACH_WRITE
async def test_if_match_can_be_required(store: Store, method: str, path: str, body: Any) -> None:
    """With the setting, a change without a version gets an error. `*` is enough."""
    async with serving(store) as client:
        await prepare(client)
    async with serving(store, require_if_match=True) as client:
        refused = await client.request(method, path, json=body)
        assert (428, "precondition_required") == asked(refused)
        assert 200 == (await client.request(method, path, json=body, headers={"If-Match": "*"})).status_code


async def test_creating_needs_no_version(store: Store) -> None:
    """If If-Match is required, a create still needs none. In bulk, each change must name its version, too."""
    async with serving(store, require_if_match=True) as client:
        await made(client, "tasks")
        operations = [{"op": "update", "id": 1, "body": {}}, {"op": "delete", "id": 1}]
        for each in operations:
            refused = await client.post("/tasks/bulk", json={"operations": [each]})
            assert (428, "precondition_required", 0) == (*asked(refused), refused.json()["failed_index"])
        result = await client.post("/tasks/bulk", json={"operations": operations, "atomic": False})
        assert [428, 428] == [each["status"] for each in result.json()["results"]]
        create = {"op": "create", "body": MINIMAL["tasks"]}
        assert 200 == (await client.post("/tasks/bulk", json={"operations": [create]})).status_code


@ALL
async def test_if_match_of_what_is_not_there(client: Client, collection: str) -> None:
    """If-Match for a missing entity gives 404, with any etag and with `*`."""
    for tag in ('"1"', "*"):
        response = await client.put(f"/{collection}/1", json={}, headers={"If-Match": tag})
        assert (404, "not_found") == asked(response)


@ALL
@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ('"1"', '"1"'),
        ('W/"1"', '"1"'),
        ('"1-gzip"', '"1-gzip"'),
        ('"0", "1"', '"1"'),
        (', "1" ,', '"1"'),
        (' "x","1-br"', '"1-br"'),
        ("*", '"1"'),
    ],
)
async def test_unchanged_entity(client: Client, collection: str, tag: str, told: str) -> None:
    """A client that has the version gets 304 without a body, with the etag that it sent."""
    await made(client, collection)

    for method in ("GET", "HEAD"):
        response = await client.request(method, f"/{collection}/1", headers={"If-None-Match": tag})
        assert (304, b"", told) == (response.status_code, response.content, response.headers["etag"])


@ALL
async def test_tag_of_an_encoding_that_the_client_does_not_take(client: Client, collection: str) -> None:
    """A client does not get 304 for an etag whose encoding it does not accept: a cache may hold that for others."""
    await made(client, collection)

    for accepted, status in (("identity", 200), ("gzip;q=0, *", 200), ("gzip", 304), ("*", 304)):
        headers = {"If-None-Match": '"1-gzip"', "Accept-Encoding": accepted}
        assert status == (await client.get(f"/{collection}/1", headers=headers)).status_code, accepted


@ALL
@pytest.mark.parametrize("tag", ['"2"', "1", "", '"1 "', '"11"', '"1""2"', '"1" "2"', '"1"x', 'w/"1"', '"1'])
async def test_changed_entity(client: Client, collection: str, tag: str) -> None:
    """A client with another version, or an unknown etag, gets the entity."""
    await made(client, collection)

    assert 200 == (await client.get(f"/{collection}/1", headers={"If-None-Match": tag})).status_code


@ALL
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_get_edit_put(client: Client, collection: str, method: str) -> None:
    """A client can read an entity, edit it and send it back whole."""
    await made(client, collection)
    document = await got(client, f"/{collection}/1")

    response = await client.request(method, f"/{collection}/1", json={**document, NAME[collection]: "New"})

    assert (200, 2, "New") == (response.status_code, response.json()["version"], response.json()[NAME[collection]])


@ALL
async def test_other_version_in_the_body_is_a_lost_update(client: Client, collection: str) -> None:
    """A body with another version is a failed precondition, whatever else differs in it."""
    document = await made(client, collection)
    await client.put(f"/{collection}/1", json={NAME[collection]: "Theirs"})

    for sent in (document, {**document, "id": 9, "created_at": None}, {"version": 3}):
        response = await client.put(f"/{collection}/1", json=sent)
        assert (412, "precondition_failed") == asked(response)
    assert [NAME[collection]] == (await client.put(f"/{collection}/1", json=document)).json()["changed"]


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("id", 2),
        ("id", "1"),
        ("id", None),
        ("version", "1"),
        ("version", None),
        ("version", 0),
        ("created_at", "2026-01-31T12:00:00.000001Z"),
        ("updated_at", "yesterday"),
        ("completed_at", "2026-01-31T12:00:00.000000Z"),
    ],
)
async def test_read_only_fields_cannot_be_set(client: Client, field: str, sent: object) -> None:
    """A read-only field that differs from the current value gets an error, and nothing changes."""
    await made(client, "tasks")

    response = await client.put("/tasks/1", json={"title": "New", field: sent})

    assert [f"/{field}"] == [pointer for pointer, _ in violations(response)]
    assert 1 == (await got(client, "/tasks/1"))["version"]


@pytest.mark.parametrize("sent", ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00.0+01:00"])
async def test_the_same_moment_written_differently(client: Client, sent: str) -> None:
    """A time that is sent back is compared by value."""
    await made(client, "tasks")

    assert 200 == (await client.put("/tasks/1", json={"created_at": sent})).status_code
