"""Making, rotating and revoking keys."""

import secrets
from datetime import timedelta
from typing import Any

import pytest

from domain.access.access_key import AccessKey
from domain.access.errors import LastAdminKey, TooManyKeys
from domain.access.key_ring import MAX_KEYS, OVERLAP, CreateKey, RevokeKey, RotateKey
from domain.access.key_text import hash_of, make_key
from domain.access.scopes import AccessScope
from domain.errors import NotFound, ValidationFailed
from tests.builders import LATER, NOON

SECRET = make_key(secrets.choice)


def key(id: int = 1, **facts: Any) -> AccessKey:
    """Return a key, by default an admin's that is valid."""
    standard = {"name": "till 2", "scope": AccessScope.ADMIN, "last_four": "abcd", "created_at": NOON}
    return AccessKey(id=id, **{**standard, **facts})


def test_create() -> None:
    """A new key has the next id, the hash of its secret, and the last four characters of it."""
    made = CreateKey.parse({"name": " till 2 ", "scope": "write"}, SECRET)([key(7)], NOON)
    assert key(8, scope=AccessScope.WRITE, last_four=SECRET[-4:]) == made.key
    assert hash_of(SECRET) == made.hash
    assert made.others_until is None


@pytest.mark.parametrize(
    ("raw", "violations"),
    [
        ({}, [("name", "required"), ("scope", "required")]),
        ({"name": "a\nb", "scope": "root"}, [("name", "forbidden_character"), ("scope", "not_a_choice")]),
        ({"name": "x" * 101, "scope": "read"}, [("name", "too_long")]),
        ({"name": "x", "scope": "read", "key": "brm_"}, [("key", "unknown_field")]),
        ({"name": "x", "scope": "read", "expires_at": "tomorrow"}, [("expires_at", "not_a_time")]),
    ],
)
def test_bad_document(raw: dict[str, object], violations: list[tuple[str, str]]) -> None:
    """One error has all violations of a document."""
    with pytest.raises(ValidationFailed) as refused:
        CreateKey.parse(raw, SECRET)
    assert violations == [(each.field, each.code) for each in refused.value.violations]


def test_expiry_in_the_past() -> None:
    """A key that expires at the moment at which it is made is refused."""
    create = CreateKey(name="x", scope=AccessScope.READ, expires_at=NOON, secret=SECRET)
    with pytest.raises(ValidationFailed, match="expires_at must be in the future"):
        create([], NOON)


def test_rotate() -> None:
    """A rotation changes the secret alone; what stood for the key holds for a day."""
    rotated = RotateKey.parse(1, {}, SECRET)([key()], LATER)
    assert key(last_four=SECRET[-4:]) == rotated.key
    assert (hash_of(SECRET), LATER + timedelta(hours=24)) == (rotated.hash, rotated.others_until)


@pytest.mark.parametrize(("text", "overlap"), [("0s", timedelta()), ("15m", timedelta(minutes=15)), ("24h", OVERLAP)])
def test_overlap(text: str, overlap: timedelta) -> None:
    """The overlap can be chosen, up to a day."""
    assert NOON + overlap == RotateKey.parse(1, {"overlap": text}, SECRET)([key()], NOON).others_until


@pytest.mark.parametrize("overlap", ["86401s", "25h", "1d", "-1s", "", "x", 5])
def test_bad_overlap(overlap: object) -> None:
    """An overlap that is none, or too long, is refused."""
    with pytest.raises(ValidationFailed):
        RotateKey.parse(1, {"overlap": overlap}, SECRET)


@pytest.mark.parametrize("keys", [[], [key(2)], [key(revoked_at=NOON)], [key(expires_at=NOON)]])
def test_rotating_what_is_not_valid(keys: list[AccessKey]) -> None:
    """Only a valid key can be rotated."""
    with pytest.raises(NotFound):
        RotateKey(id=1, secret=SECRET)(keys, NOON)


def test_revoke() -> None:
    """A revoked key stays, with the time at which it was revoked first; nothing stands for it any more."""
    revoked = RevokeKey(id=1)([key()], NOON)
    assert (key(revoked_at=NOON), NOON) == (revoked.key, revoked.others_until)
    assert key(revoked_at=NOON) == RevokeKey(id=1)([revoked.key], LATER).key


def test_revoking_an_unknown_key() -> None:
    """A key that is not there cannot be revoked."""
    with pytest.raises(NotFound):
        RevokeKey(id=2)([key()], NOON)


@pytest.mark.parametrize(
    "others", [[], [key(2, scope=AccessScope.WRITE)], [key(2, revoked_at=NOON)], [key(2, expires_at=NOON)]]
)
def test_last_admin_key(others: list[AccessKey]) -> None:
    """The last admin key that is valid stays where it is needed, and only there."""
    with pytest.raises(LastAdminKey):
        RevokeKey(id=1, needed=True)([key(), *others], NOON)
    assert NOON == RevokeKey(id=1)([key(), *others], NOON).key.revoked_at


@pytest.mark.parametrize("keys", [[key(), key(2)], [key(scope=AccessScope.READ)], [key(revoked_at=NOON)]])
def test_not_the_last_admin_key(keys: list[AccessKey]) -> None:
    """Any other key can be revoked."""
    assert NOON == RevokeKey(id=1, needed=True)(keys, NOON).key.revoked_at


def test_room_for_a_new_key() -> None:
    """When the store of keys is full, the key that ended first makes room, but never the newest."""
    valid = [key(id) for id in range(1, MAX_KEYS - 2)]
    ended = [key(MAX_KEYS - 2, revoked_at=LATER), key(MAX_KEYS - 1, expires_at=NOON), key(MAX_KEYS, revoked_at=NOON)]
    create = CreateKey(name="x", scope=AccessScope.READ, expires_at=None, secret=SECRET)
    made = create([*valid, *ended], LATER)
    assert (MAX_KEYS + 1, (MAX_KEYS - 1,)) == (made.key.id, made.dropped)
    assert () == create(valid, LATER).dropped
    with pytest.raises(TooManyKeys):
        create([*valid, key(MAX_KEYS - 2), key(MAX_KEYS - 1), ended[-1]], LATER)


def test_no_secret_is_shown() -> None:
    """Neither a command nor what it leaves shows the secret or its hash."""
    create = CreateKey.parse({"name": "x", "scope": "read"}, SECRET)
    shown = repr([create, create([], NOON), RotateKey(id=1, secret=SECRET)])
    assert SECRET not in shown
    assert repr(hash_of(SECRET)) not in shown
