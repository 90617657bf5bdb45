"""Entities and grants that are asked for at the same time come in one statement."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.postgres.connections import Connection
from adapters.postgres.store import PostgresStore
from domain.access.access_key import OPEN, Actor, Grant
from domain.access.key_ring import CreateKey
from domain.access.key_text import hash_of
from domain.access.scopes import AccessScope
from domain.product import PRODUCT
from domain.task import TASK
from tests.builders import create
from tests.contract.steps import carry_out

pytestmark = pytest.mark.anyio


async def test_one_statement(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entities of any type and the grants of their readers are read together, and each caller gets its own."""
    await carry_out(store, create(TASK), create(PRODUCT))
    reads, used = store._point_reads, 0

    @asynccontextmanager
    async def counted() -> AsyncIterator[Connection]:
        nonlocal used
        used += 1
        async with store._connections.use() as connection:
            yield connection

    monkeypatch.setattr(reads, "_use", counted)

    async def grants(*secrets: str | None) -> list[Grant | None]:
        asked = [store.access_keys.look_up(None if each is None else hash_of(each)) for each in secrets]
        return [await each for each in asked]

    assert [OPEN, OPEN] == await grants(None, "s1")
    await store.access_keys.change(CreateKey(name="till 2", scope=AccessScope.READ, secret="s1", expires_at=None))
    (task, product, none, again), (grant, *others) = await asyncio.gather(
        asyncio.gather(store.get(TASK, 1), store.get(PRODUCT, 1), store.get(TASK, 2), store.get(TASK, 1)),
        asyncio.create_task(grants("s1", "s2", None)),
    )
    assert 2 == used
    assert task is not None
    assert product is not None
    assert (True, True) == ('"title"' in task.document, '"name"' in product.document)
    assert grant is not None
    assert (Actor(1, "till 2"), [None, None], None, task) == (grant.actor, others, none, again)
