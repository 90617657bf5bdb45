"""The writer thread: it commits all waiting batches together, with one fsync."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any

import apsw
from attrs import define, field

from adapters.sqlite.checkpoints import Checkpoints
from adapters.sqlite.errors import Translating
from adapters.sqlite.log import Log
from adapters.sqlite.table_mapping import TableMapping
from adapters.sqlite.transaction import Transaction
from domain.decisions import CommandBatch, Outcome, Replay
from domain.errors import DomainError, StorageFull, Unavailable
from domain.measurements import GroupObserver, WaitObserver, unnoticed, unobserved
from domain.stored_entity import Serializer

_log = logging.getLogger("backroom")

MAX_GROUP = 256
MAX_WAITING = 10_000

LARGE = 20
"""A batch of so many commands takes long, so it is committed alone, and small ones that wait go first."""

Response = Outcome | Replay | BaseException
Work = CommandBatch | Callable[[apsw.Connection, datetime], Any]
"""A command batch, or another short write that waits in the same queue."""


@define(eq=False)
class _Job:
    work: Work
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    queued: float
    began: float | None = None


@define(eq=False)
class GroupCommitter:
    """Writes for any number of callers, in the order in which they ask, except that large batches wait for their turn.

    On the happy path a group is one transaction. After any failure but a refusal, the group is rolled back and each
    member is tried alone. So a fault fails only the member that caused it. Groups of small batches and large batches
    take turns, so that a small one waits for one large batch at most.
    """

    connection: apsw.Connection
    log: Log
    rows: Mapping[str, TableMapping]
    documents: Serializer
    clock: Callable[[], datetime]
    guarded: Translating
    check_files: Callable[[], None]
    checkpoints: Checkpoints
    on_commit: Callable[[], None]
    on_group: GroupObserver = unobserved
    on_wait: WaitObserver = unnoticed

    _queue: SimpleQueue[_Job | None] = field(factory=SimpleQueue, init=False)
    _large: deque[_Job] = field(factory=deque, init=False)  # taken from the queue, and waiting for their turn
    _thread: threading.Thread = field(init=False)
    _closed: bool = field(default=False, init=False)

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="backroom-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Work) -> Any:
        """Do the work; return its result once that is durable. Raises `Unavailable` when closed or overloaded."""
        if self._closed or self._queue.qsize() + len(self._large) >= MAX_WAITING:
            raise Unavailable
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        job = _Job(work, loop, future, perf_counter())
        self._queue.put(job)
        try:
            return await future
        finally:
            if job.began is not None:
                self.on_wait(job.began - job.queued)

    def close(self) -> None:
        """Finish the queued work, then stop the threads."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
            self.checkpoints.close()

    def _run(self) -> None:
        last = False
        while not last or self._large:
            jobs, last = ([], True) if last else self._next_group()
            if not (jobs or self._large):
                self._keep_log_small(self.checkpoints.when_idle)
            self._carry_out(jobs)
            self._carry_out([self._large.popleft()] if self._large else [])

    def _carry_out(self, jobs: list[_Job]) -> None:
        if jobs:
            began = perf_counter()
            for job in jobs:
                job.began = began
            answers = self._answers(jobs)
            self.on_group(len(jobs), perf_counter() - began)  # before a caller can ask for the numbers
            self._deliver(jobs, answers)
            self._keep_log_small(self.checkpoints.after_commit)

    def _keep_log_small(self, work: Callable[[], None]) -> None:
        """Copy the write-ahead log into the file if needed. Nobody waits for it, and a failed copy is tried again."""
        try:
            with self.guarded:
                work()
        except (StorageFull, Unavailable):  # already logged
            pass
        except Exception:  # noqa: BLE001 - the thread must survive any fault
            _log.exception("keeping the write-ahead log small failed, and will be tried again")

    def _next_group(self) -> tuple[list[_Job], bool]:
        """Wait for a job, unless a large one waits. Take all others; the second value is True after the last group.

        Large jobs join those that wait. The list has the small ones. It is empty when there are none, or when the wait
        timed out and other work is due.
        """
        jobs: list[_Job] = []
        try:
            job = self._queue.get(block=not self._large, timeout=self.checkpoints.rest)
            while job is not None:
                (self._large if _is_large(job.work) else jobs).append(job)
                if len(jobs) == MAX_GROUP:
                    return jobs, False
                job = self._queue.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _answers(self, jobs: list[_Job]) -> list[Response]:
        try:
            return self._commit(jobs)
        except Unavailable as error:  # not the fault of one member; each alone would only wait again
            return [Unavailable(error.message) for _ in jobs]
        except Exception as fault:  # noqa: BLE001 - the thread must survive any fault, and the caller gets it
            if len(jobs) == 1:
                return [fault]
            return [answer for job in jobs for answer in self._answers([job])]

    def _commit(self, jobs: list[_Job]) -> list[Response]:
        """Carry out the jobs in one transaction; raises if it must be rolled back.

        A large batch keeps other processes from writing only from its first write on, and not while it is decided. If
        somebody wrote since it was begun, it is decided again, and then keeps them waiting from the start.
        """
        with self.guarded:
            if _is_large(jobs[0].work):
                with suppress(apsw.BusyError):
                    return self._transact("BEGIN", jobs)
            return self._transact("BEGIN IMMEDIATE", jobs)

    def _transact(self, begin: str, jobs: list[_Job]) -> list[Response]:
        self.connection.execute(begin)
        try:
            transaction = Transaction(self.connection, self.log, self.rows, self.documents)
            answers = [self._answer(transaction, job.work) for job in jobs]
            transaction.finish()
            self.check_files()
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk may already have rolled it back
                self.connection.execute("ROLLBACK")
            raise
        return answers

    def _answer(self, transaction: Transaction, work: Work) -> Response:
        try:
            at = self.clock()
            return transaction.apply(work, at) if isinstance(work, CommandBatch) else work(self.connection, at)
        except (StorageFull, Unavailable):
            raise
        except DomainError as refusal:  # raised before anything was written
            return refusal

    def _deliver(self, jobs: list[_Job], answers: list[Response]) -> None:
        """Wake each caller on its own loop, with one call for each loop."""
        self.on_commit()
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Response]]] = {}
        for job, answer in zip(jobs, answers, strict=True):
            by_loop.setdefault(job.loop, []).append((job.future, answer))
        for loop, pairs in by_loop.items():
            with suppress(RuntimeError):  # the loop is closed, so nobody waits there
                loop.call_soon_threadsafe(_settle, pairs)


def _is_large(work: Work) -> bool:
    return isinstance(work, CommandBatch) and len(work.commands) >= LARGE


def _settle(pairs: list[tuple[asyncio.Future[Any], Response]]) -> None:
    for future, answer in pairs:
        if future.done():  # the caller has left; the work stays done
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
