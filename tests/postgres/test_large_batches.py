"""Large batches keep the log for a short time, and one after the other, so that small ones wait little for them."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from adapters.postgres import transaction as module
from adapters.postgres import write_statement
from adapters.postgres.store import PostgresStore
from adapters.postgres.transaction import LARGE
from adapters.postgres.write_statement import Statement, WritePlan, statement_of
from domain.decisions import CommandBatch, Decision, Outcome, Replay, decide
from domain.task import TASK
from tests.builders import batch, create
from tests.postgres.transactions import Open

pytestmark = pytest.mark.anyio


async def test_one_writes_at_a_time(store: PostgresStore, slow: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a large batch waits for the log, another one is decided but not sent, and a group of small ones is sent."""
    decided: asyncio.Queue[int] = asyncio.Queue()
    sent: asyncio.Queue[int] = asyncio.Queue()
    changes: dict[int, int] = {}
    loop = asyncio.get_running_loop()

    def noted(rows: Mapping[str, Any], plan: WritePlan) -> Statement:
        statement = statement_of(rows, plan)
        changes[id(statement)] = len(plan.changes)
        loop.call_soon_threadsafe(decided.put_nowait, len(plan.changes))
        return statement

    def told(statement: Statement) -> str:
        sent.put_nowait(changes[id(statement)])
        return sql(statement)

    def submitted(commands: int) -> asyncio.Task[Outcome | Replay]:
        return asyncio.create_task(store.submit(batch(*[create(TASK)] * commands)))

    await slow.carry_out(create(TASK))  # this keeps the log
    sql = Statement.sql
    monkeypatch.setattr(module, "statement_of", noted)
    monkeypatch.setattr(Statement, "sql", told)
    waiting = [submitted(LARGE)]
    assert (LARGE, LARGE) == (await decided.get(), await sent.get())
    waiting.append(submitted(LARGE + 1))
    assert LARGE + 1 == await decided.get()
    waiting += [submitted(1) for _ in range(LARGE + 2)]
    assert LARGE + 2 == await sent.get()
    await slow.commit()
    await asyncio.gather(*waiting)
    assert LARGE + 1 == sent.get_nowait()


async def test_they_are_decided_beside_the_loop(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large batch is decided in a thread, so that nobody waits for it. A smaller one is not worth a thread."""
    threads: list[int] = []

    def watched(batch: CommandBatch, *facts: Any) -> Decision:
        threads.append(threading.get_ident())
        return decide(batch, *facts)

    monkeypatch.setattr(module, "decide", watched)
    await store.submit(batch(*[create(TASK)] * (LARGE - 1)))
    await store.submit(batch(*[create(TASK)] * LARGE))
    here = threading.get_ident()
    assert [True, False] == [each == here for each in threads]


async def test_changes_are_read_before_the_log_is_locked(
    store: PostgresStore, slow: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another transaction keeps the log, a change that cannot be read is an error at once."""
    await slow.carry_out(create(TASK))  # this keeps the log
    monkeypatch.setattr(write_statement, "_change_rows", lambda _: [{"number": "one"}])
    with pytest.raises(asyncpg.DataError):
        await store._attempt([batch(create(TASK))], None)
