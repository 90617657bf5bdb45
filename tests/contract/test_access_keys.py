"""Access keys and their credentials, in every store."""

import asyncio
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from domain.access.access_key import OPEN, AccessKey, Actor, CredentialType, Grant
from domain.access.key_ring import MAX_SESSIONS, SESSION_LASTS, CreateKey, RevokeKey, RotateKey
from domain.access.key_text import hash_of
from domain.access.ports import AccessKeys
from domain.access.scopes import AccessScope
from domain.errors import NotFound
from domain.ports import Store
from domain.task import TASK
from tests.builders import LATER, NOON, Clock, create
from tests.contract.steps import carry_out, whole_log
from tests.contract.stores import STORES

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@pytest.fixture
def keys(store: Store) -> AccessKeys:
    """Return the keys as the first process sees them."""
    return store.access_keys


@pytest.fixture
def others(other: Store) -> AccessKeys:
    """Return the keys as another process sees them."""
    return other.access_keys


def new(secret: str = "s1", scope: AccessScope = AccessScope.READ, **facts: Any) -> CreateKey:
    """Return a decision that creates a key."""
    return CreateKey(**{"name": "till 2", "scope": scope, "secret": secret, "expires_at": None, **facts})


def granted(key: AccessKey, type: CredentialType = CredentialType.KEY, **facts: Any) -> Grant:
    """Return the grant of a credential of a key."""
    return Grant(**{"scope": key.scope, "actor": Actor(key.id, key.name), "type": type, "expires_at": None, **facts})


async def test_a_clock_that_was_ahead_ends_nothing(store: Store, keys: AccessKeys, clock: Clock) -> None:
    """A key and its session that a wrong clock expired are valid again after the clock is corrected."""
    key = await keys.change(new(expires_at=LATER))
    await keys.open_session(hash_of("t"), hash_of("s1"))
    clock.now = NOON + timedelta(days=31)
    await keys.change(new("s2"))
    await keys.open_session(hash_of("u"), hash_of("s2"))
    assert None is await keys.look_up(hash_of("s1"))
    clock.now = NOON
    assert granted(key, expires_at=LATER) == await keys.look_up(hash_of("s1"))
    assert granted(key, CredentialType.SESSION, expires_at=LATER) == await keys.look_up(hash_of("t"))
    await store.purge(LATER, changes_before=NOON)
    assert None is await keys.look_up(hash_of("s1")) is await keys.look_up(hash_of("t"))


@pytest.mark.parametrize("end", [RevokeKey(id=1), RotateKey(id=1, secret="s2", overlap=timedelta())])
async def test_what_was_ended_by_a_clock_that_was_ahead(keys: AccessKeys, clock: Clock, end: Any) -> None:
    """A revocation under a wrong clock still holds after the clock is corrected."""
    await keys.change(new())
    await keys.open_session(hash_of("t"), hash_of("s1"))
    clock.now = NOON + timedelta(days=31)
    await keys.change(end)
    clock.now = NOON
    assert None is await keys.look_up(hash_of("s1")) is await keys.look_up(hash_of("t"))


async def test_open_until_there_is_a_key(keys: AccessKeys, others: AccessKeys) -> None:
    """Until the first key exists everyone may do everything; after that every process demands a key."""
    assert OPEN == await keys.look_up(None) == await others.look_up(hash_of("s1"))
    await keys.change(new())
    assert None is await keys.look_up(None) is await others.look_up(None) is await others.look_up(hash_of("other"))
    await keys.change(RevokeKey(id=1))
    assert None is await others.look_up(None)


async def test_a_key_grants_its_scope(keys: AccessKeys, others: AccessKeys) -> None:
    """A secret grants the scope of its key, in every process, at the next look-up."""
    for scope in AccessScope:
        key = await keys.change(new(scope.value, scope))
        assert granted(key) == await others.look_up(hash_of(scope.value))


async def test_many_at_once(keys: AccessKeys) -> None:
    """Concurrent lookups each get their own result."""
    made = [await keys.change(new(f"s{number}")) for number in range(20)]
    hashes = [hash_of(f"s{number}") for number in range(25)]
    found = await asyncio.gather(*(keys.look_up(each) for each in (*hashes, None)))
    assert [*map(granted, made), *[None] * 6] == found


async def test_a_revoked_key_grants_nothing(keys: AccessKeys, others: AccessKeys) -> None:
    """A revocation of a key and its sessions holds at the next lookup in every process."""
    await keys.change(new())
    assert await keys.open_session(hash_of("t"), hash_of("s1"))
    await others.change(RevokeKey(id=1))
    assert [None, None] == [await keys.look_up(hash_of(each)) for each in ("s1", "t")]
    assert [NOON] == [each.revoked_at for each in await keys.keys()]


async def test_an_expired_key_grants_nothing(keys: AccessKeys, clock: Clock) -> None:
    """A key is valid until the moment at which it expires, exclusive."""
    await keys.change(new(expires_at=LATER))
    clock.now = LATER - timedelta(microseconds=1)
    assert LATER == (await keys.look_up(hash_of("s1")) or OPEN).expires_at
    clock.now = LATER
    assert None is await keys.look_up(hash_of("s1"))


async def test_rotation(keys: AccessKeys, clock: Clock) -> None:
    """After a rotation the old secret and its sessions are valid for the overlap, and the new one without end."""
    key = await keys.change(new())
    await keys.open_session(hash_of("t"), hash_of("s1"))
    rotated = await keys.change(RotateKey(id=1, secret="secret two", overlap=HOUR))
    assert "two" == rotated.last_four[1:]
    for each, type in (("s1", CredentialType.KEY), ("t", CredentialType.SESSION)):
        assert granted(key, type, expires_at=NOON + HOUR) == await keys.look_up(hash_of(each))
    clock.now += HOUR
    assert [None, None] == [await keys.look_up(hash_of(each)) for each in ("s1", "t")]
    assert granted(key) == await keys.look_up(hash_of("secret two"))


async def test_a_second_rotation_prolongs_nothing(keys: AccessKeys, clock: Clock) -> None:
    """Another rotation never extends an overlap; one without overlap ends it at once."""
    await keys.change(new())
    await keys.change(RotateKey(id=1, secret="s2", overlap=HOUR))
    await keys.change(RotateKey(id=1, secret="s3", overlap=2 * HOUR))
    clock.now += HOUR
    assert None is await keys.look_up(hash_of("s1"))
    await keys.change(RotateKey(id=1, secret="s4", overlap=timedelta()))
    assert [None, None] == [await keys.look_up(hash_of(each)) for each in ("s2", "s3")]


async def test_sessions(keys: AccessKeys, others: AccessKeys, clock: Clock) -> None:
    """A session has the grant of its key for thirty days, or until it is closed."""
    key = await keys.change(new())
    expected = granted(key, CredentialType.SESSION, expires_at=NOON + SESSION_LASTS)
    assert expected == await keys.open_session(hash_of("t1"), hash_of("s1")) == await others.look_up(hash_of("t1"))
    await keys.open_session(hash_of("t2"), hash_of("s1"))
    await others.close_session(hash_of("t1"))
    assert None is await keys.look_up(hash_of("t1"))
    clock.now += SESSION_LASTS
    assert None is await keys.look_up(hash_of("t2"))


async def test_a_session_needs_a_key(keys: AccessKeys) -> None:
    """Only a key's secret opens a session, and only a session's token closes one."""
    await keys.change(new())
    await keys.open_session(hash_of("t"), hash_of("s1"))
    assert [None, None] == [await keys.open_session(hash_of("u"), hash_of(each)) for each in ("x", "t")]
    assert None is await keys.look_up(hash_of("u"))
    await keys.close_session(hash_of("s1"))
    assert await keys.look_up(hash_of("s1"))


async def test_a_session_ends_with_what_opened_it(keys: AccessKeys) -> None:
    """A session ends no later than the secret that opened it."""
    await keys.change(new(expires_at=LATER))
    assert LATER == (await keys.open_session(hash_of("t"), hash_of("s1")) or OPEN).expires_at


async def test_sessions_are_bounded(keys: AccessKeys, clock: Clock) -> None:
    """A key has a limited number of sessions; a further one replaces its oldest, and no session of another key."""
    await keys.change(new())
    await keys.change(new("s2"))
    await keys.open_session(hash_of("other"), hash_of("s2"))
    for number in range(MAX_SESSIONS + 1):
        clock.now += timedelta(seconds=1)
        await keys.open_session(hash_of(f"t{number}"), hash_of("s1"))
    assert None is await keys.look_up(hash_of("t0"))
    assert None not in [await keys.look_up(hash_of(each)) for each in ("t1", f"t{MAX_SESSIONS}", "other", "s1")]


async def test_a_refused_decision_changes_nothing(keys: AccessKeys) -> None:
    """An error in a decision reaches the caller, and nothing changes."""
    made = await keys.change(new())
    with pytest.raises(NotFound):
        await keys.change(RevokeKey(id=2))
    assert (made,) == await keys.keys()


async def test_dry_run(keys: AccessKeys) -> None:
    """A dry run of a decision changes nothing."""
    key = await keys.change(new(), dry_run=True)
    assert (1, ()) == (key.id, await keys.keys())
    assert OPEN == await keys.look_up(None)


async def test_decisions_take_turns(keys: AccessKeys, others: AccessKeys) -> None:
    """Concurrent key creations get different ids, and only one of two admin keys can be revoked."""
    made = await asyncio.gather(*((keys, others)[n % 2].change(new(f"s{n}", AccessScope.ADMIN)) for n in range(10)))
    assert set(range(1, 11)) == {each.id for each in made}
    for id in range(3, 11):
        await keys.change(RevokeKey(id=id))
    tried = await asyncio.gather(
        keys.change(RevokeKey(id=1, needed=True)), others.change(RevokeKey(id=2, needed=True)), return_exceptions=True
    )
    assert 1 == len([each for each in tried if isinstance(each, AccessKey)])


async def test_last_use(keys: AccessKeys) -> None:
    """The last use is noted; an earlier time does not replace it, and an unknown key does no harm."""
    await keys.change(new())
    await keys.touch({1: LATER, 9: LATER})
    await keys.touch({1: NOON})
    await keys.touch({})
    await keys.change(RotateKey(id=1, secret="s2"))
    assert [LATER] == [each.last_used_at for each in await keys.keys()]


async def test_the_log_names_the_actor(store: Store) -> None:
    """A change names the key that made it; changes of keys are not in the log."""
    await store.access_keys.change(new())
    await carry_out(store, create(TASK))
    await carry_out(store, create(TASK), actor=Actor(3, "till 2"))
    assert [None, Actor(3, "till 2")] == [each.change.actor for each in await whole_log(store)]


class KeyMachine(RuleBasedStateMachine):
    """Keys and sessions in a store, compared with a plain model of grants and their ends."""

    numbers = count()

    def __init__(self, keys: AccessKeys, clock: Clock, run: Any) -> None:
        super().__init__()
        self.keys, self.clock, self.run = keys, clock, run
        self.made: dict[int, Any] = {}  # the end of each key
        self.holds: dict[str, tuple[int, Any, bool]] = {}  # secret: key, until when, whether it is a session

    @initialize()
    def begin(self) -> None:
        """Start later than all that earlier examples left."""
        self.clock.now += HOUR

    def secret(self) -> str:
        """Return a secret that is new to the store, in which earlier examples left theirs."""
        return f"secret {next(self.numbers)}"

    @rule(hours=st.none() | st.integers(1, 100))
    def make(self, hours: int | None) -> None:
        """Make a key."""
        secret, until = self.secret(), None if hours is None else self.clock.now + hours * HOUR
        key = self.run(self.keys.change(new(secret, expires_at=until)))
        self.made[key.id] = until
        self.holds[secret] = key.id, until, False

    @precondition(lambda self: self.made)
    @rule(data=st.data(), overlap=st.integers(0, 24))
    def rotate(self, data: st.DataObject, overlap: int) -> None:
        """Rotate a key."""
        id, secret = data.draw(st.sampled_from(list(self.made))), self.secret()
        decision = RotateKey(id=id, secret=secret, overlap=overlap * HOUR)
        if self.over(self.made[id]):
            with pytest.raises(NotFound):
                self.run(self.keys.change(decision))
            return
        self.run(self.keys.change(decision))
        self.shorten(id, self.clock.now + overlap * HOUR)
        self.holds[secret] = id, self.made[id], False

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        """Revoke a key."""
        id = data.draw(st.sampled_from(list(self.made)))
        self.run(self.keys.change(RevokeKey(id=id)))
        self.shorten(id, self.clock.now)
        self.made[id] = min(self.made[id] or self.clock.now, self.clock.now)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def log_in(self, data: st.DataObject) -> None:
        """Open a session, or try to."""
        by, token = data.draw(st.sampled_from(list(self.holds))), self.secret()
        key, until, is_session = self.holds[by]
        opened = self.run(self.keys.open_session(hash_of(token), hash_of(by)))
        if is_session or self.over(until):
            assert opened is None
            return
        lasts = self.clock.now + SESSION_LASTS
        self.holds[token] = key, min(until or lasts, lasts), True
        assert opened.expires_at == self.holds[token][1]

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def log_out(self, data: st.DataObject) -> None:
        """Close a session, or try to with another secret."""
        token = data.draw(st.sampled_from(list(self.holds)))
        self.run(self.keys.close_session(hash_of(token)))
        key, _, is_session = self.holds[token]
        if is_session:
            self.holds[token] = key, NOON, True

    @rule(hours=st.integers(1, 800))
    def wait(self, hours: int) -> None:
        """Let time pass."""
        self.clock.now += hours * HOUR

    @rule()
    def compare(self) -> None:
        """Check that the store grants exactly what the model does."""
        for secret, (key, until, _) in self.holds.items():
            grant = self.run(self.granted(secret))
            if self.over(until):
                assert grant is None
            else:
                assert (key, until) == (grant.actor.key, grant.expires_at)

    async def granted(self, secret: str) -> Grant | None:
        """Return what a secret grants; a look-up needs a running loop."""
        return await self.keys.look_up(hash_of(secret))

    def over(self, until: Any) -> bool:
        """Return whether a time has come."""
        return until is not None and until <= self.clock.now

    def shorten(self, key: int, until: Any) -> None:
        """Limit the validity of a key's credentials to a time."""
        for secret, (mine, before, is_session) in self.holds.items():
            if mine == key:
                self.holds[secret] = key, min(before or until, until), is_session


@pytest.mark.parametrize("name", STORES)
def test_state_machine(name: str, tmp_path: Any) -> None:
    """After any steps with keys and sessions, in any order, the store grants what the model does."""
    with asyncio.Runner() as runner:
        clock = Clock()
        opened = STORES[name](tmp_path, clock)
        store = runner.run(opened.__aenter__())[0]

        machine: Any = partial(KeyMachine, store.access_keys, clock, runner.run)
        try:
            run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=20))
        finally:
            runner.run(opened.__aexit__(None, None, None))
