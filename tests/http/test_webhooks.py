"""Webhooks over HTTP: entities like the others, except for their secret, position and deliveries."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from domain.ports import Store
from entrypoints.wiring import dispatcher_of
from tests.builders import Clock
from tests.contract.stores import Stores
from tests.http.service import Client, serving
from tests.http.steps import asked, got, made, violations
from tests.webhooks.endpoints import KEY, Endpoints, delivered, make_dispatcher, url

pytestmark = pytest.mark.anyio

SHOWN = {"types": [], "enabled": True, "description": "", "disabled_reason": None, "secret_version": 1}
PRIVATE = "must lead to globally routable addresses only"


@pytest.fixture
def endpoints(clock: Clock) -> Endpoints:
    """Return endpoints that accept everything."""
    return Endpoints(clock)


@pytest.fixture
async def client(store: Store, endpoints: Endpoints) -> AsyncIterator[Client]:
    """Return a client of a service that accepts every webhook address."""
    async with serving(store, dispatcher=make_dispatcher(store, endpoints)) as client:
        yield client


@pytest.fixture
async def other(stores: Stores, endpoints: Endpoints) -> AsyncIterator[Client]:
    """Return a client of the same service in another process."""
    async with serving(stores[1], dispatcher=make_dispatcher(stores[1], endpoints)) as client:
        yield client


async def subscribed(client: Client, **fields: Any) -> Any:
    """Create a webhook and return it with its secret."""
    response = await client.post("/webhooks", json={"url": url("a"), **fields})
    assert 201 == response.status_code, response.text
    return response.json()


async def shown(client: Client, id: int = 1) -> list[Any]:
    """Return the deliveries to a webhook."""
    deliveries: list[Any] = (await got(client, f"/webhooks/{id}/deliveries"))["deliveries"]
    return deliveries


async def test_a_new_webhook(client: Client, store: Store) -> None:
    """A new webhook starts at the end of the log, and its secret is shown."""
    await made(client, "tasks")
    response = await client.post("/webhooks", json={"url": url("a")})
    assert (201, '"1"', "/webhooks/1") == (
        response.status_code,
        response.headers["etag"],
        response.headers["location"],
    )
    webhook = response.json()
    assert {**SHOWN, "url": url("a"), "version": 1} | webhook == webhook
    assert (
        (await got(client, "/changes"))["cursor"] != webhook["cursor"] == (await got(client, "/webhooks/1"))["cursor"]
    )
    assert make_dispatcher(store, Endpoints(Clock())).secret(1, 1) == webhook["secret"]


async def test_the_secret_is_nowhere_else(client: Client) -> None:
    """No later response has the secret, and no log line has it."""
    secret = (await subscribed(client))["secret"].removeprefix("whsec_")
    await client.patch("/webhooks/1", json={"description": "x"})
    await client.post("/webhooks/1/test")
    for path in ("/webhooks", "/webhooks/1", "/webhooks/1/history", "/webhooks/1/deliveries", "/changes", "/tasks"):
        assert secret not in (await client.get(path)).text
    stale = await client.delete("/webhooks/1", headers={"If-Match": '"1"'})
    assert (412, "precondition_failed") == asked(stale)
    gone = await client.delete("/webhooks/1")
    back = await client.post("/webhooks/1/restore")
    client.service.access_log.flush()
    assert secret not in "".join((stale.text, gone.text, back.text, *client.service.log))


async def test_a_creation_is_replayed_with_its_secret(client: Client, other: Client) -> None:
    """A lost response can be requested again, byte for byte, in another process too."""
    key = {"Idempotency-Key": "k"}
    first = await client.post("/webhooks", json={"url": url("a")}, headers=key)
    await made(client, "tasks")
    again = await other.post("/webhooks", json={"url": url("a")}, headers=key)
    assert (first.content, "true") == (again.content, again.headers["idempotency-replayed"])
    assert [1] == [each["id"] for each in (await got(client, "/webhooks"))["webhooks"]]


async def test_a_dry_run_gives_no_secret_away(client: Client) -> None:
    """A dry run shows text in the form of a secret, but not the secret of the next webhook."""
    prefer = {"Prefer": "validate-only"}
    dry = await client.post("/webhooks", json={"url": url("a")}, headers=prefer)
    assert (201, "validate-only") == (dry.status_code, dry.headers["preference-applied"])
    webhook = await subscribed(client)
    assert webhook["secret"] != dry.json()["secret"]
    rotated = (await client.post("/webhooks/1/rotate", headers=prefer)).json()
    assert rotated["secret"] != (await client.post("/webhooks/1/rotate")).json()["secret"]
    assert 202 == (await client.post("/webhooks/1/test", headers=prefer)).status_code
    assert [] == await shown(client)


async def test_a_webhook_is_an_entity(client: Client) -> None:
    """A webhook has versions, etags, a history and a list with filters, and can be restored."""
    await subscribed(client)
    await subscribed(client, url=url("b"), enabled=False)
    patched = await client.patch("/webhooks/1", json={"types": ["task.created"]}, headers={"If-Match": '"1"'})
    assert (200, '"2"', ["task.created"]) == (patched.status_code, patched.headers["etag"], patched.json()["types"])
    tag = (await client.get("/webhooks/1")).headers["etag"]
    assert tag.startswith('"2.')
    assert 304 == (await client.get("/webhooks/1", headers={"If-None-Match": tag})).status_code
    kept = await client.patch("/webhooks/1", json={}, headers={"If-Match": tag})
    assert (200, 2) == (kept.status_code, kept.json()["version"])
    assert [2] == [each["id"] for each in (await got(client, "/webhooks?enabled=false"))["webhooks"]]
    assert [2, 1] == [each["id"] for each in (await got(client, "/webhooks?sort=-url"))["webhooks"]]
    assert [1] == [each["id"] for each in (await got(client, "/webhooks?q=.COM/A"))["webhooks"]]
    assert 200 == (await client.delete("/webhooks/1")).status_code
    assert (404, "not_found") == asked(await client.get("/webhooks/1"))
    assert 4 == (await client.post("/webhooks/1/restore")).json()["version"]
    history = (await got(client, "/webhooks/1/history"))["history"]
    assert ["webhook.created", "webhook.updated", "webhook.deleted", "webhook.restored"] == [
        each["type"] for each in history
    ]


async def test_the_feed_knows_no_webhooks(client: Client) -> None:
    """Changes of webhooks are not public, and cannot be followed."""
    await subscribed(client)
    assert [] == (await got(client, "/changes"))["changes"]
    assert (400, "bad_parameter") == asked(await client.get("/changes?types=webhook.created"))
    assert "changes" not in await got(client, "/webhooks")
    assert (404, "not_found") == asked(await client.post("/webhooks/bulk/bulk", json={}))


async def test_what_was_read_can_be_sent_back(client: Client, store: Store, endpoints: Endpoints) -> None:
    """The position may have advanced since the read. That is no conflict and no change."""
    await subscribed(client)
    read = await got(client, "/webhooks/1")
    await made(client, "tasks")
    await delivered(make_dispatcher(store, endpoints))
    answered = (await client.put("/webhooks/1", json=read)).json()
    assert (1, True) == (answered["version"], answered["cursor"] != read["cursor"])
    assert 422 == (await client.put("/webhooks/1", json={**read, "secret_version": 2})).status_code


@pytest.mark.parametrize(
    ("fields", "violation"),
    [
        ({"url": None}, ("/url", "required")),
        ({"url": "ftp://example.com"}, ("/url", "not_a_url")),
        ({"types": ["task"]}, ("/types", "not_a_choice")),
        ({"types": "task.created"}, ("/types", "wrong_type")),
        ({"enabled": 1}, ("/enabled", "wrong_type")),
        ({"description": "x" * 201}, ("/description", "too_long")),
        ({"secret": "whsec_x"}, ("/secret", "unknown_field")),
        ({"cursor": "x"}, ("/cursor", "unknown_field")),
        ({"disabled_reason": "x"}, ("/disabled_reason", "read_only")),
    ],
)
async def test_what_breaks_a_rule(client: Client, fields: dict[str, Any], violation: tuple[str, str]) -> None:
    """Each violation names its field."""
    assert [violation] == violations(await client.post("/webhooks", json={"url": url("a"), **fields}))
    assert [] == (await got(client, "/webhooks"))["webhooks"]


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "[::1]", "169.254.169.254"])
async def test_addresses_are_vetted(store: Store, host: str) -> None:
    """A URL of an internal address gets an error when a webhook is created and when it is edited."""
    dispatcher = dispatcher_of(store, await store.secret(), allow_private=False)
    async with serving(store, dispatcher=dispatcher) as client:
        made = await client.post("/webhooks", json={"url": f"http://{host}/"})
        assert [("/url", "not_routable")] == violations(made)
        assert f"url {PRIVATE}" == made.json()["detail"]
        assert 201 == (await client.post("/webhooks", json={"url": "https://93.184.215.14/"})).status_code
        assert [("/url", "not_routable")] == violations(
            await client.patch("/webhooks/1", json={"url": f"http://{host}/"})
        )
        assert 200 == (await client.patch("/webhooks/1", json={"description": "x"})).status_code


async def test_an_address_that_stays_is_not_vetted_again(store: Store, client: Client) -> None:
    """A webhook can be sent back as it was read, even if its address is now refused. Connecting checks it anyway."""
    document = await subscribed(client, url="http://127.0.0.1/")
    document.pop("secret")
    dispatcher = dispatcher_of(store, await store.secret(), allow_private=False)
    async with serving(store, dispatcher=dispatcher) as strict:
        assert 200 == (await strict.put("/webhooks/1", json={**document, "description": "x"})).status_code
        for url in ("http://127.0.0.1/other", "http://127.0.0.2/"):
            assert [("/url", "not_routable")] == violations(await strict.put("/webhooks/1", json={"url": url}))


async def test_a_key_is_looked_at_before_the_address(store: Store, client: Client) -> None:
    """A retry gets a lost response with its secret, even if the address would be refused by now."""
    body, headers = {"url": "http://127.0.0.1/"}, {"Idempotency-Key": "k"}
    first = await client.post("/webhooks", json=body, headers=headers)
    dispatcher = dispatcher_of(store, KEY, allow_private=False)
    async with serving(store, dispatcher=dispatcher) as strict:
        again = await strict.post("/webhooks", json=body, headers=headers)
        assert (201, first.content) == (again.status_code, again.content)
        assert "true" == again.headers["idempotency-replayed"]
        for _ in range(2):  # such an error is not stored
            other = await strict.post("/webhooks", json=body, headers={"Idempotency-Key": "l"})
            assert [("/url", "not_routable")] == violations(other)
            assert "idempotency-replayed" not in other.headers


async def test_trying_again_with_a_key(client: Client, store: Store, endpoints: Endpoints) -> None:
    """The same request gets the same response, even if the webhook is gone or the delivery never existed."""
    await subscribed(client)
    await client.post("/webhooks/1/test")
    await delivered(make_dispatcher(store, endpoints))
    (kept,) = await shown(client)
    path, headers = f"/webhooks/1/deliveries/{kept['id']}/retry", {"Idempotency-Key": "k"}
    queued = await client.post(path, headers=headers)
    unknown = await client.post("/webhooks/1/deliveries/x/retry", headers={"Idempotency-Key": "l"})
    assert (404, "Delivery not found") == (unknown.status_code, unknown.json()["detail"])
    await client.delete("/webhooks/1")
    again = await client.post(path, headers=headers)
    assert (202, queued.content, "true") == (again.status_code, again.content, again.headers["idempotency-replayed"])
    again = await client.post("/webhooks/1/deliveries/x/retry", headers={"Idempotency-Key": "l"})
    assert (unknown.content, "true") == (again.content, again.headers["idempotency-replayed"])


async def test_deliveries(client: Client, store: Store, endpoints: Endpoints) -> None:
    """The list has the deliveries, newest first, in pages, each with its attempts."""
    await subscribed(client)
    for title in "abc":
        await made(client, "tasks", title=title)
    await delivered(make_dispatcher(store, endpoints))
    page = await got(client, "/webhooks/1/deliveries?limit=2")
    rest = await got(client, page["next"])
    assert (2, 1, None) == (len(page["deliveries"]), len(rest["deliveries"]), rest["next"])
    attempt = {"at": "2026-01-31T12:00:00.000000Z", "status": 200, "error": None, "duration_ms": 1}
    for cursor in ("", "x", rest["deliveries"][0]["message_id"]):
        answer = await client.get("/webhooks/1/deliveries", params={"cursor": cursor})
        assert (400, "bad_cursor") == (answer.status_code, answer.json()["code"])
    (first,) = rest["deliveries"]
    assert ("task.created", "delivered", [attempt], None) == (
        first["type"],
        first["status"],
        first["attempts"],
        first["next_attempt_at"],
    )


async def test_testing_and_trying_again(client: Client, store: Store, endpoints: Endpoints) -> None:
    """A test and a retry are queued. With a key, each is queued once."""
    await subscribed(client)
    key = {"Idempotency-Key": "k"}
    queued = await client.post("/webhooks/1/test", headers=key)
    again = await client.post("/webhooks/1/test", headers=key)
    assert (202, "webhook.test", "pending") == (queued.status_code, queued.json()["type"], queued.json()["status"])
    assert queued.content == again.content
    await delivered(make_dispatcher(store, endpoints))
    (kept,) = await shown(client)
    assert (queued.json()["id"], "delivered") == (kept["id"], kept["status"])
    retried = await client.post(f"/webhooks/1/deliveries/{kept['id']}/retry")
    assert (202, kept["message_id"]) == (retried.status_code, retried.json()["message_id"])
    await delivered(make_dispatcher(store, endpoints))
    assert 2 == len(endpoints.messages)


async def test_rotating(client: Client) -> None:
    """A rotation shows a new secret and makes a new version. A stale etag leaves the old secret."""
    first = await subscribed(client)
    assert 412 == (await client.post("/webhooks/1/rotate", headers={"If-Match": '"7"'})).status_code
    rotated = await client.post("/webhooks/1/rotate", headers={"If-Match": '"1"'})
    assert (200, '"2"', 2) == (rotated.status_code, rotated.headers["etag"], rotated.json()["secret_version"])
    assert first["secret"] != rotated.json()["secret"]


@pytest.mark.parametrize("action", ["test", "rotate", "deliveries/x/retry"])
async def test_what_is_not_there(client: Client, action: str) -> None:
    """A missing webhook cannot be tested, rotated or retried, and neither can a missing delivery."""
    assert (404, "not_found") == asked(await client.post(f"/webhooks/7/{action}"))
    assert (404, "not_found") == asked(await client.get("/webhooks/7/deliveries"))
    await subscribed(client)
    assert (404, "not_found") == asked(await client.post("/webhooks/1/deliveries/x/retry"))


async def test_a_write_wakes_the_dispatcher(store: Store, endpoints: Endpoints) -> None:
    """Once there is a webhook, each write wakes the dispatcher after its response."""
    dispatcher = make_dispatcher(store, endpoints)
    async with serving(store, dispatcher=dispatcher) as client:
        await delivered(dispatcher)
        woken = [await wakes(client, dispatcher, "/tasks", title="a")]
        woken.append(await wakes(client, dispatcher, "/webhooks", url=url("a")))
        await delivered(dispatcher)
        woken.append(await wakes(client, dispatcher, "/tasks", title="a"))
    assert [False, True, True] == woken


async def wakes(client: Client, dispatcher: Any, path: str, **fields: Any) -> bool:
    """Write, and tell whether the dispatcher was woken."""
    dispatcher._wake_event.clear()
    assert 201 == (await client.post(path, json=fields)).status_code
    told: bool = dispatcher._wake_event.is_set()
    return told


async def test_tags_cover_the_position(client: Client, store: Store) -> None:
    """The etag of a webhook, and of the list, changes when its position advances."""
    await subscribed(client)
    known = {path: (await client.get(path)).headers["etag"] for path in ("/webhooks/1", "/webhooks")}
    await made(client, "tasks")
    for path, tag in known.items():
        assert 304 == (await client.get(path, headers={"If-None-Match": tag})).status_code
    assert await store.deliveries.claim(1, "me", timedelta(minutes=1))
    assert await store.deliveries.record(1, "me", position=await store.head())

    for path, tag in known.items():
        after = await client.get(path, headers={"If-None-Match": tag})
        assert 200 == after.status_code
        assert tag != after.headers["etag"]
