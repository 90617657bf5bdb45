"""Batches are carried out in groups, and each caller gets a response, even if others fail."""

import asyncio
from collections.abc import Sequence

import pytest
from attrs import define, field

from adapters.postgres import committer as module
from adapters.postgres.committer import LARGE_AT_ONCE, GroupCommitter
from adapters.postgres.transaction import LARGE, Response
from domain.decisions import CommandBatch, Outcome
from domain.errors import Unavailable
from domain.task import TASK
from tests.builders import batch, create

pytestmark = pytest.mark.anyio

DONE = Outcome(results=(), request_id="r-1")
DRY_RUN = batch(create(TASK), dry_run=True)  # runs alone
WRITTEN = batch(create(TASK))


@define
class Database:
    """Carries out everything, or fails."""

    error: BaseException | None = None
    carried_out: list[int] = field(factory=list)

    async def together(self, batches: Sequence[CommandBatch]) -> list[Response]:
        """Carry out a group."""
        self.carried_out.append(len(batches))
        if self.error is not None:
            raise self.error
        return [DONE] * len(batches)

    async def alone(self, batch: CommandBatch) -> Response:
        """Carry out a single one."""
        return (await self.together([batch]))[0]


@pytest.fixture
def database() -> Database:
    """Return the stand-in for the database."""
    return Database()


@pytest.fixture
async def committer(database: Database) -> GroupCommitter:
    """Return the committer."""
    return GroupCommitter(together=database.together, alone=database.alone)


async def test_groups_are_observed(database: Database) -> None:
    """Each group is told with its size; a batch that runs alone is a group of one."""
    groups: list[int] = []
    committer = GroupCommitter(
        together=database.together, alone=database.alone, on_group=lambda batches, _: groups.append(batches)
    )
    await asyncio.gather(*(committer.submit(each) for each in (WRITTEN, WRITTEN, DRY_RUN)))
    assert [1, 2] == sorted(groups)


async def test_concurrent_batches_are_one_group(database: Database, committer: GroupCommitter) -> None:
    """All batches submitted in one turn of the loop are one group."""
    assert [DONE] * 3 == await asyncio.gather(*(committer.submit(WRITTEN) for _ in range(3)))
    assert [3] == database.carried_out


@pytest.mark.parametrize("each", [WRITTEN, DRY_RUN])
async def test_an_answered_batch_counts_no_more(
    committer: GroupCommitter, monkeypatch: pytest.MonkeyPatch, each: CommandBatch
) -> None:
    """With a limit of one, a batch submitted directly after a response is carried out, not refused."""
    monkeypatch.setattr(module, "MAX_WAITING", 1)
    for _ in range(3):
        assert DONE == await committer.submit(each)


async def test_few_large_batches_at_once(database: Database) -> None:
    """Large batches run some at a time, and leave room for others that run alone."""
    go, running = asyncio.Event(), list[CommandBatch]()

    async def alone(each: CommandBatch) -> Response:
        running.append(each)
        if each is large:
            await go.wait()
        return DONE

    large = batch(*[create(TASK)] * LARGE)
    committer = GroupCommitter(together=database.together, alone=alone)
    tasks = [asyncio.create_task(committer.submit(large)) for _ in range(5)]
    assert DONE == await committer.submit(DRY_RUN)

    assert [large] * LARGE_AT_ONCE == [each for each in running if each is large]
    go.set()
    assert [DONE] * 5 == await asyncio.gather(*tasks)


async def test_too_many_are_refused(committer: GroupCommitter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch beyond the limit is refused; those within it are carried out."""
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    answers = await asyncio.gather(*(committer.submit(WRITTEN) for _ in range(3)), return_exceptions=True)
    assert [Outcome, Outcome, Unavailable] == [type(each) for each in answers]


@pytest.mark.parametrize("each", [WRITTEN, DRY_RUN])
async def test_cancelled_work_is_answered(database: Database, committer: GroupCommitter, each: CommandBatch) -> None:
    """After cancelled work every caller gets an error, and the next batch is carried out."""
    database.error = asyncio.CancelledError()
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*(committer.submit(each) for _ in range(2)), return_exceptions=True)
    assert [Unavailable] * 2 == [type(each) for each in answers]
    database.error = None
    assert DONE == await committer.submit(each)


async def test_finishing(database: Database, committer: GroupCommitter) -> None:
    """`finish` returns once all batches are carried out, even those whose callers have left."""
    leaving = [asyncio.create_task(committer.submit(each)) for each in (WRITTEN, DRY_RUN)]
    await asyncio.sleep(0)
    for each in leaving:
        each.cancel()
    await committer.finish()
    assert [1, 1] == database.carried_out
