"""Rate limits: how often callers may send requests."""

import pytest

from adapters.http.admission.gate import subject_of
from adapters.shared_memory.rate_limits import SharedRateLimiter
from domain.access.rate_limit import SECOND, Quota
from domain.ports import Store
from tests.http.access import bearer, new_key, session
from tests.http.service import serving
from tests.http.steps import asked, got

pytestmark = pytest.mark.anyio

QUOTA = Quota(3, 60)


async def test_every_answer_says_how_often(store: Store) -> None:
    """Every response has the policy and the remaining quota. A request beyond it learns when to retry."""
    limiter = SharedRateLimiter(buckets=1, clock=lambda: 1000 * SECOND)
    async with serving(store, limiter=limiter, quota=QUOTA) as client:
        before = await client.get("/nope")  # the client has read the OpenAPI document already
        assert ('"default";q=3;w=60', '"default";r=1;t=40') == (
            before.headers["ratelimit-policy"],
            before.headers["ratelimit"],
        )
        assert '"default";r=0;t=60' == (await client.get("/app/")).headers["ratelimit"]
        refused = await client.get("/tasks")
        assert (429, "rate_limited") == asked(refused)
        assert "20" == refused.headers["retry-after"]
        assert '"default";r=0;t=60' == refused.headers["ratelimit"]


async def test_no_limit_by_default(store: Store) -> None:
    """Without the setting there is no limit and no header."""
    async with serving(store) as client:
        assert not [name for name in (await client.get("/tasks")).headers if name.startswith("ratelimit")]


async def test_each_key_has_its_own(store: Store) -> None:
    """Each key has its own limit, however it is shown. Without a key, each address has one."""
    one, two = await new_key(store), await new_key(store)
    async with serving(store, quota=Quota(4, 60)) as client:
        browser = await session(client, one)
        assert [200, 200, 200, 200, 429] == [
            (await client.get("/session", headers=each)).status_code
            for each in (bearer(one), browser, bearer(one), browser, bearer(one))
        ]
        assert 200 == (await client.get("/tasks", headers=bearer(two))).status_code
        assert [401, 401, 429] == [(await client.get("/tasks")).status_code for _ in range(3)]  # two were used before


async def test_what_is_refused_changes_nothing(store: Store) -> None:
    """A write beyond the limit is not carried out."""
    key = await new_key(store)
    async with serving(store, quota=Quota(1, 3600)) as client:
        await client.get("/tasks", headers=bearer(key))
        refused = await client.post("/tasks", json={"title": "x"}, headers=bearer(key))
        assert (429, "rate_limited") == asked(refused)
    async with serving(store) as client:
        assert 0 == (await client.get("/tasks", headers=bearer(key))).json()["count"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("unix", "unix", True),
        ("", "unix", False),
    ],
)
def test_whom_an_address_stands_for(one: str, other: str, same: bool) -> None:
    """All IPv6 addresses with the same prefix count as one client, because one client has all of them."""
    assert same == (subject_of(one) == subject_of(other))


async def test_home(store: Store) -> None:
    """A request that needs no key is limited by address, too."""
    async with serving(store, quota=Quota(2, 60)) as client:
        await got(client, "/healthz")
        assert 429 == (await client.get("/healthz")).status_code
