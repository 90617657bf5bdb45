"""How callers show a key, and what is none."""

import pytest

from domain.access.rate_limit import FAILED_TRIES
from domain.ports import Store
from tests.http.access import UNKNOWN, bearer, new_key
from tests.http.service import Client
from tests.http.steps import asked
from tests.http.test_streams import check_refused
from tests.http.transport import connected

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {key} {key}",
        "Bearer brm_" + "0" * 36,
        "Bearer {upper}",
        "Bearer\t{key}",
        "Token {key}",
        "Bearer é",
        'Digest username="x", realm="y"',
    ],
)
async def test_what_is_no_key(client: Client, store: Store, value: str) -> None:
    """An invalid key gets 401 with the scheme to use, and the response does not repeat the key."""
    key = await new_key(store)
    shown = value.format(key=key, upper=key.upper()).encode()
    response = await client.get("/tasks", headers=[(b"Authorization", shown)])
    assert (401, "unauthorized") == asked(response)
    assert "Bearer" == response.headers["www-authenticate"]
    assert key not in response.text


@pytest.mark.parametrize("value", ["Bearer {key}", "bearer {key}", "BEARER {key}", "Bearer   {key} "])
async def test_how_a_key_is_shown(client: Client, store: Store, value: str) -> None:
    """The name of the scheme is case-insensitive (RFC 9110, 11.1)."""
    key = await new_key(store)
    assert 200 == (await client.get("/tasks", headers={"Authorization": value.format(key=key)})).status_code


async def test_two_keys(client: Client, store: Store) -> None:
    """Two Authorization headers are no valid key, even if one of them is."""
    key = await new_key(store)
    for values in ((key, key), (key, UNKNOWN)):
        headers = [("Authorization", f"Bearer {each}") for each in values]
        assert (400, "bad_header") == asked(await client.get("/tasks", headers=headers))


@pytest.mark.parametrize(
    "target", ["/tasks?key={key}", "/tasks?q=x%20{key}", "/?{key}", "/tasks/{key}", "/{key}", "/healthz?k=%62rm_{rest}"]
)
async def test_a_key_in_a_url(client: Client, store: Store, target: str) -> None:
    """A key in a URL gets an error, and neither the response nor the log repeats it."""
    key = await new_key(store)
    target = target.format(key=key, rest=key.removeprefix("brm_"))
    response = await client.raw("GET", target, headers=bearer(key))
    assert (400, "bad_parameter") == asked(response)
    client.service.access_log.flush()
    assert key[4:] not in response.text + "".join(client.service.log)
    async with connected(client.service.app, f"/ws?key={key}") as opened:
        await check_refused(opened, 400, "bad_parameter")


async def test_a_key_as_request_id(client: Client, store: Store) -> None:
    """A key in X-Request-ID is not accepted as an id, because ids are returned and logged."""
    key = await new_key(store)
    response = await client.get("/tasks", headers={**bearer(key), "X-Request-ID": key})
    client.service.access_log.flush()
    assert key not in str(response.headers) + "".join(client.service.log)


async def test_failed_tries(client: Client, store: Store) -> None:
    """A caller that shows wrong keys again and again must wait. A caller with a valid key need not."""
    key = await new_key(store)
    assert [401] * 10 == [(await client.get("/tasks")).status_code for _ in range(10)]  # no key shown, no failed try
    assert 401 == (await client.get("/tasks", headers=bearer(UNKNOWN))).status_code
    for _ in range(FAILED_TRIES.amount - 1):
        assert 401 == (await client.post("/session", json={"key": UNKNOWN})).status_code
    for refused_now in (
        await client.post("/session", json={"key": UNKNOWN}),
        await client.get("/tasks", headers=bearer(UNKNOWN)),
    ):
        assert (429, "rate_limited") == asked(refused_now)
        assert 12 >= int(refused_now.headers["retry-after"]) >= 11
    assert 200 == (await client.get("/tasks", headers=bearer(key))).status_code
