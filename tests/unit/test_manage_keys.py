"""Making, rotating and revoking keys and opening sessions, as callers do it."""

import secrets
from datetime import timedelta

import pytest

from adapters.memory.access_keys import MemoryAccessKeys
from domain.access.access_key import CredentialType
from domain.access.errors import LastAdminKey
from domain.access.key_text import hash_of, is_key, make_key
from domain.errors import ValidationFailed
from domain.use_cases.manage_keys import close_session, create_key, open_session, revoke_key, rotate_key
from tests.builders import Clock

pytestmark = pytest.mark.anyio

RAW = {"name": "till 2", "scope": "admin"}
UNKNOWN = make_key(secrets.choice)


@pytest.fixture
def clock() -> Clock:
    """Return a clock that a test turns by hand."""
    return Clock()


@pytest.fixture
def keys(clock: Clock) -> MemoryAccessKeys:
    """Return a store of keys."""
    return MemoryAccessKeys(clock, lambda: None)


async def is_valid(keys: MemoryAccessKeys, secret: str) -> bool:
    """Tell whether a secret grants anything."""
    return await keys.look_up(hash_of(secret)) is not None


async def test_a_new_key(keys: MemoryAccessKeys) -> None:
    """A new key comes with its secret, which is valid, and each has another. A dry run makes none."""
    made = [await create_key(keys, RAW, draw=secrets.choice) for _ in range(2)]
    assert [(1, True, True), (2, True, True)] == [
        (key.id, is_key(secret), await is_valid(keys, secret)) for key, secret in made
    ]
    assert 2 == len({secret for _, secret in made})
    assert not await is_valid(keys, (await create_key(keys, RAW, draw=secrets.choice, dry_run=True))[1])
    with pytest.raises(ValidationFailed):
        await create_key(keys, {"name": "x"}, draw=secrets.choice)
    assert 2 == len(await keys.keys())


async def test_another_secret(keys: MemoryAccessKeys, clock: Clock) -> None:
    """A rotation gives a key another secret, and the old one holds for the overlap: a day, if none is given."""
    secret = (await create_key(keys, RAW, draw=secrets.choice))[1]
    for raw, lasts in (({}, timedelta(hours=24)), ({"overlap": "15m"}, timedelta(minutes=15))):
        before, secret = secret, (await rotate_key(keys, 1, raw, draw=secrets.choice))[1]
        clock.now += lasts - timedelta(seconds=1)
        assert [True, True] == [await is_valid(keys, each) for each in (before, secret)]
        clock.now += timedelta(seconds=1)
        assert [False, True] == [await is_valid(keys, each) for each in (before, secret)]
    await rotate_key(keys, 1, {"overlap": "0s"}, draw=secrets.choice, dry_run=True)
    assert await is_valid(keys, secret)


async def test_the_end_of_a_key(keys: MemoryAccessKeys) -> None:
    """A revoked key is not valid. A dry run revokes nothing, and the last admin key stays where it is needed."""
    secret = (await create_key(keys, RAW, draw=secrets.choice))[1]
    with pytest.raises(LastAdminKey):
        await revoke_key(keys, 1, needed=True)
    await revoke_key(keys, 1, dry_run=True)
    assert await is_valid(keys, secret)
    assert 1 == (await revoke_key(keys, 1)).id
    assert not await is_valid(keys, secret)


async def test_a_session(keys: MemoryAccessKeys) -> None:
    """Who shows a key gets a session instead of the one before. A wrong key gets none, and ends none."""
    secret = (await create_key(keys, RAW, draw=secrets.choice))[1]
    first = await open_session(keys, secret, draw=secrets.choice)
    assert first is not None
    assert CredentialType.SESSION is first[0].type
    for wrong in (UNKNOWN, first[1], "x"):
        assert None is await open_session(keys, wrong, draw=secrets.choice, instead_of=first[1])
    assert await is_valid(keys, first[1])
    second = await open_session(keys, secret, draw=secrets.choice, instead_of=first[1])
    assert second is not None
    assert [False, True] == [await is_valid(keys, each) for each in (first[1], second[1])]
    await close_session(keys, second[1])
    assert not await is_valid(keys, second[1])
