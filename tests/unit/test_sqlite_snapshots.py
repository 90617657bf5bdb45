"""What all reads in one turn of the event loop share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from domain.access.access_key import OPEN
from domain.access.key_ring import CreateKey, RevokeKey
from domain.access.key_text import hash_of
from domain.access.scopes import AccessScope
from domain.registry import ENTITY_TYPES
from tests.builders import SERIALIZER, Clock

pytestmark = pytest.mark.anyio

KNOWN, UNKNOWN = hash_of("known"), hash_of("unknown")
CREATE = CreateKey(name="till", scope=AccessScope.READ, secret="known", expires_at=None)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[tuple[SqliteStore, SqliteStore]]:
    """Open one file twice, as two processes do."""
    path = tmp_path / "backroom.db"
    both = [
        SqliteStore(path, entity_types=ENTITY_TYPES, documents=SERIALIZER, clock=Clock(), on_untrustworthy=pytest.fail)
        for _ in range(2)
    ]
    yield both[0], both[1]
    for each in both:
        await each.close()


async def test_the_same_is_asked_once_in_a_turn(stores: tuple[SqliteStore, SqliteStore]) -> None:
    """Who asks what somebody asked in this turn costs no statement, also where nothing was found."""
    store, _ = stores
    await store.access_keys.change(CREATE)
    asked: list[object] = []

    def trace(_: object, sql: str, values: object) -> bool:
        asked.extend([values] if "FROM credentials" in sql else [])
        return True

    store._reading.exec_trace = trace
    grants = [await store.access_keys.look_up(each) for each in (KNOWN, UNKNOWN, KNOWN, UNKNOWN)]
    store._reading.exec_trace = None
    assert [True, False] * 2 == [each is not None for each in grants]
    assert [(KNOWN,), (UNKNOWN,)] == asked


async def test_the_next_turn_sees_what_others_wrote(stores: tuple[SqliteStore, SqliteStore]) -> None:
    """What one turn was told is forgotten at its end: a first key holds in the next turn, and so does a revocation."""
    store, other = stores
    assert OPEN is await store.access_keys.look_up(KNOWN) is await store.access_keys.look_up(None)
    await other.access_keys.change(CREATE)
    assert (None, True) == (await store.access_keys.look_up(None), await store.access_keys.look_up(KNOWN) is not None)
    await other.access_keys.change(RevokeKey(id=1))
    assert None is await store.access_keys.look_up(KNOWN)
