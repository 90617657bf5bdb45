"""Several processes that serve the same sockets, and the parent that supervises them."""

import multiprocessing
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.context import ForkProcess

from entrypoints.diagnostics import LOG

FAILURE, NOT_STARTED = 1, 3
UNTRUSTWORTHY = 74  # EX_IOERR of sysexits.h: no other worker could rely on the store either

TIMEOUT = 9.5  # seconds that workers may take to end, before they are killed
PAUSE = 1.0  # seconds before a worker that has ended is replaced

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# The parent has no threads and opens nothing but the sockets, so a fork is safe, and Python need not start again.
_fork = multiprocessing.get_context("fork")

Work = Callable[[int, bool], int]


def supervise(work: Work, count: int, sockets: Sequence[socket.socket]) -> int:
    """Run `work` in `count` processes until SIGTERM, SIGINT or SIGHUP, and return the exit code.

    `work` takes the slot of its process among the workers, from 0, and whether it is the very first one. It returns
    the exit code of its process. A worker that ends is replaced by another in the same slot. But all workers are
    stopped if one of the first ends with `NOT_STARTED`, or any with `UNTRUSTWORTHY`, because the others would fail in
    the same way.
    """
    with _stop_requests() as stop:
        workers = {_start(work, slot, slot == 0): slot for slot in range(count)}
        code = _keep(workers, work, stop)
        for each in sockets:
            each.close()
        _end(workers)
    return code


@contextmanager
def _stop_requests() -> Iterator[socket.socket]:
    """Yield a socket that can be read once a signal has come."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    heard = [each for each in _SIGNALS if each != signal.SIGHUP or signal.getsignal(each) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _ignore) for number in heard}
    wakeup = signal.set_wakeup_fd(writer.fileno())
    with reader, writer:
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)


def _ignore(number: int, frame: object) -> None:
    """Do nothing: the wake-up descriptor notes the signal, which SIG_IGN would not."""


def _start(work: Work, slot: int, is_first: bool) -> ForkProcess:
    worker = _fork.Process(target=_run, args=(work, slot, is_first))
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until the worker has handlers of its own
    try:
        worker.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    return worker


def _run(work: Work, slot: int, is_first: bool) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):  # a terminal sends them to all, and the parent tells its workers
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    try:
        code = work(slot, is_first)
    except Exception:  # noqa: BLE001 - Python would write it without our format
        LOG.critical("a worker was ended by what nobody foresaw", exc_info=True)
        code = FAILURE
    sys.exit(code)


def _keep(workers: dict[ForkProcess, int], work: Work, stop: socket.socket) -> int:
    """Replace every worker that ends, until a stop is requested. Return the exit code."""
    first = tuple(workers)
    while True:
        ready = connection.wait([stop, *(worker.sentinel for worker in workers)])
        if stop in ready:
            return 0
        for ended in [worker for worker in workers if worker.sentinel in ready]:
            ended.join()
            slot = workers.pop(ended)
            if ended.exitcode == UNTRUSTWORTHY or (ended in first and ended.exitcode == NOT_STARTED):
                return ended.exitcode
            LOG.error("worker %d ended with %d and is replaced", ended.pid, ended.exitcode)
            if connection.wait([stop], PAUSE):
                return 0
            workers[_start(work, slot, False)] = slot


def _end(workers: Iterable[ForkProcess]) -> None:
    for worker in workers:
        worker.terminate()
    deadline = time.monotonic() + TIMEOUT
    for worker in workers:
        worker.join(max(0, deadline - time.monotonic()))
        if worker.exitcode is None:
            LOG.error("worker %d did not end in time and is killed", worker.pid)
            worker.kill()
            worker.join()
        elif worker.exitcode not in (0, -signal.SIGTERM):  # this ends a worker that did not serve yet
            LOG.error("worker %d ended with %d", worker.pid, worker.exitcode)
