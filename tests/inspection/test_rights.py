"""A user of the database who may only read and write the store."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from entrypoints.stores import verified
from tests.databases import shared_databases
from tests.inspection.damages import do
from tests.inspection.populated import populated, said

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Return the URL of a populated store, for a user without further rights."""
    async with shared_databases().blank() as dsn:
        await populated(dsn)
        await do(dsn, "CREATE ROLE plain LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain")
        await do(dsn, "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO plain")
        yield dsn.replace("user=postgres", "user=plain")
        await do(dsn, "DROP OWNED BY plain; DROP ROLE plain")


async def test_what_is_not_checked(url: str) -> None:
    """It is told, with what would have to be granted, and everything else is checked."""
    findings = (await verified(url, lambda *_: None)).findings
    assert [] == said(findings.first)
    order, schema = findings.unchecked
    assert "the order of the pages, and each index against its table" == order.what
    assert "let an administrator of the database run CREATE EXTENSION amcheck" in order.why
    assert "tables, columns, constraints and indexes" == schema.what
    await do(url.replace("user=plain", "user=postgres"), "UPDATE tasks SET title_key = 'x' WHERE id = 1")
    findings = (await verified(url, lambda *_: None)).findings
    assert ["sort key: task 1 title_key is 'x', and should be 'uno'"] == said(findings.first)


async def test_nothing_is_left_behind(url: str) -> None:
    """Neither the extension nor the schema to compare with is there afterwards."""
    owner = url.replace("user=plain", "user=postgres")
    await verified(owner, lambda *_: None)
    connection = await asyncpg.connect(owner)
    left = await connection.fetch(
        "SELECT extname FROM pg_extension WHERE extname = 'amcheck'"
        " UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE 'backroom%'"
    )
    await connection.close()
    assert [] == left
