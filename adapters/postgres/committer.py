"""Group commits: one statement and one commit for all waiting batches."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import Any

from attrs import define, field

from adapters.postgres.transaction import LARGE, Response
from domain.decisions import CommandBatch, Outcome, Replay
from domain.errors import StorageFull, Unavailable
from domain.measurements import GroupObserver, WaitObserver, unnoticed, unobserved

MAX_GROUP = 256
MAX_WAITING = 10_000
TIMEOUT_S = 10
"""How long a batch may wait for its turn. A batch whose turn comes later is refused."""

ALONE_AT_ONCE = 4
"""How many batches run alone at the same time; the other connections are for readers."""

LARGE_AT_ONCE = 2
"""How many of these may be large, so that they leave the processors to others: one computes while another writes."""


@define(eq=False)
class _Job:
    batch: CommandBatch
    answer: "asyncio.Future[Outcome | Replay]"
    deadline: float
    queued: float
    began: float | None = None

    @property
    def is_late(self) -> bool:
        """Whether the caller has waited for too long."""
        return self.answer.get_loop().time() > self.deadline


@define(eq=False)
class GroupCommitter:
    """Carries out command batches, in groups where it can: one group at a time; the next one gathers meanwhile.

    `together` returns the responses of a group, or None if another writer was faster. After that, or after a failure,
    each member is tried alone. So a fault fails only the member that caused it.

    Every queued batch gets a response. A caller with a response may submit again before any callback runs, so no
    callback keeps state that a later batch needs.
    """

    together: Callable[[Sequence[CommandBatch]], Awaitable[list[Response] | None]]
    alone: Callable[[CommandBatch], Awaitable[Response]]
    on_group: GroupObserver = unobserved
    on_wait: WaitObserver = unnoticed

    _waiting: deque[_Job] = field(factory=deque, init=False)
    _unanswered: int = field(default=0, init=False)
    _running: asyncio.Task[None] | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)
    _limit: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(ALONE_AT_ONCE), init=False)
    _large: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(LARGE_AT_ONCE), init=False)

    async def submit(self, batch: CommandBatch) -> Outcome | Replay:
        """Carry out a batch and return its response. If the caller leaves, it is carried out all the same."""
        if self._unanswered >= MAX_WAITING:
            raise Unavailable
        self._unanswered += 1
        loop = asyncio.get_running_loop()
        job = _Job(batch, loop.create_future(), loop.time() + TIMEOUT_S, perf_counter())
        if _goes_alone(batch):
            self._start(self._carry_out_alone(job))
        else:
            self._waiting.append(job)
            if self._running is None:
                self._running = self._start(self._run())
        try:
            return await job.answer
        finally:
            if job.began is not None:
                self.on_wait(job.began - job.queued)

    async def finish(self) -> None:
        """Return when every submitted batch has been carried out."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def listed() -> None:
            try:
                await work
            finally:
                self._tasks.remove(task)

        task = asyncio.create_task(listed())
        self._tasks.add(task)
        return task

    async def _run(self) -> None:
        try:
            while self._waiting:
                if group := self._group():
                    await self._carry_out(group)
        finally:
            self._running = None

    def _group(self) -> list[_Job]:
        """Take the waiting batches, up to one that repeats an idempotency key and so must wait for the earlier one."""
        group: list[_Job] = []
        keys: set[tuple[str, str]] = set()
        while self._waiting and len(group) < MAX_GROUP:
            if self._waiting[0].is_late:
                self._settle(self._waiting.popleft(), Unavailable())
                continue
            key = self._waiting[0].batch.key
            if key is not None and (key.caller, key.name) in keys:
                break
            if key is not None:
                keys.add((key.caller, key.name))
            group.append(self._waiting.popleft())
        return group

    async def _carry_out(self, group: list[_Job]) -> None:
        answers: list[Response] | None
        began = perf_counter()
        for job in group:
            job.began = began
        try:
            answers = await self.together([job.batch for job in group])
        except (Unavailable, StorageFull) as error:
            answers = [error] * len(group)
        except asyncio.CancelledError:  # of the awaited work; the callers still need a response
            answers = [Unavailable()] * len(group)
        except Exception as error:  # noqa: BLE001 - the callers get any fault, and the others go on
            answers = [error] if len(group) == 1 else None
        if answers is None:
            for job in group:
                self._start(self._carry_out_alone(job))
            return
        self.on_group(len(group), perf_counter() - began)
        for job, answer in zip(group, answers, strict=True):
            self._settle(job, answer)

    async def _carry_out_alone(self, job: _Job) -> None:
        try:
            async with self._large if _is_large(job.batch) else nullcontext(), self._limit:
                answer = Unavailable() if job.is_late else await self._alone(job)
        except asyncio.CancelledError:  # as above
            answer = Unavailable()
        except Exception as error:  # noqa: BLE001 - the caller gets it
            answer = error
        self._settle(job, answer)

    async def _alone(self, job: _Job) -> Response:
        job.began = began = perf_counter()
        answer = await self.alone(job.batch)
        self.on_group(1, perf_counter() - began)
        return answer

    def _settle(self, job: _Job, answer: Response) -> None:
        self._unanswered -= 1
        if job.answer.done():  # the caller has left; the work stays done
            return
        if isinstance(answer, BaseException):
            job.answer.set_exception(answer)
        else:
            job.answer.set_result(answer)


def _goes_alone(batch: CommandBatch) -> bool:
    """Return whether a batch must run alone: it takes long, or writes more than entities."""
    subscribes = any(command.entity_type.subscribes for command in batch.commands)
    is_special = subscribes or bool(batch.deliveries or batch.lease)
    return batch.dry_run or _is_large(batch) or is_special


def _is_large(batch: CommandBatch) -> bool:
    return len(batch.commands) >= LARGE
